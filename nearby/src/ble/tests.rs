//! Two ends without a radio between them.

#![allow(clippy::disallowed_methods, reason = "how long it takes is measured")]

use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

/// Two ends without a radio between them.
struct Wire {
    mtu: Mtu,
    out: Sender<Event>,
    into: Receiver<Event>,
}

fn wire(mtu: u16) -> (Wire, Wire) {
    let ((a, from_a), (b, from_b)) = (channel(), channel());
    let mtu = Mtu::agreed(mtu);
    (Wire { mtu, out: a, into: from_b }, Wire { mtu, out: b, into: from_a })
}

impl Gatt for Wire {
    fn mtu(&self) -> Mtu {
        self.mtu
    }

    fn write(&mut self, value: &[u8]) -> Result<(), LinkError> {
        assert!(value.len() <= usize::from(self.mtu.0) - 3, "longer than the exchange carries");
        self.out.send(Event::Value(value.to_vec())).map_err(|_| LinkError::Gone)
    }

    fn write_state(&mut self, state: State) -> Result<(), LinkError> {
        self.out.send(Event::State(state.value().to_vec())).map_err(|_| LinkError::Gone)
    }

    fn next(&mut self, within: Duration) -> Result<Event, LinkError> {
        self.into.recv_timeout(within).map_err(|_| LinkError::Late)
    }
}

const BOUNDS: Bounds = Bounds { message: 2_000, messages: 2 };
const SOON: Duration = Duration::from_millis(200);

fn linked(mtu: u16) -> (BleLink<Wire>, BleLink<Wire>) {
    let (client, server) = wire(mtu);
    let client = BleLink::begin(client, BOUNDS).unwrap();
    (client, BleLink::wait(server, BOUNDS, SOON).unwrap())
}

#[test]
fn ble_01_a_message_is_cut_to_what_the_exchange_carries_and_put_together_again() {
    for mtu in [0, 23, 24, 185, 515, 65_535] {
        let (mut client, mut server) = linked(mtu);
        for length in [1, 18, 19, 20, 511, 512, 2_000] {
            let message: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            client.send(&message).unwrap();
            assert_eq!(server.receive(SOON).unwrap(), message, "{length} at {mtu}");
            server.received = 0;
        }
    }
    // §8.3.3.1.1.6: 1 while more follow, 0 for the last; MTU less three, the byte among them.
    let cut = chunks(&[7; 40], Mtu::LEAST, 100).unwrap();
    assert_eq!(cut.iter().map(|value| (value[0], value.len())).collect::<Vec<_>>(), [(1, 20), (1, 20), (0, 3)]);
    let whole = chunks(&[7; 19], Mtu::LEAST, 100).unwrap();
    assert_eq!((whole.len(), whole[0][0], whole[0].len()), (1, 0, 20), "none that is empty comes after it");
    assert_eq!(Mtu::agreed(65_535).payload(), 511, "a value has at most 512 bytes");
}

#[test]
fn ble_02_characteristics_and_states_are_those_of_the_standard() {
    let text = |uuid: u128| format!("{uuid:032X}");
    let holder = Mode::HolderIsServer.characteristics();
    assert_eq!(text(holder.state), "00000001A12348CE896B4C76973373E6");
    assert_eq!(text(holder.client_to_server), "00000002A12348CE896B4C76973373E6");
    assert_eq!(text(holder.server_to_client), "00000003A12348CE896B4C76973373E6");
    let reader = Mode::ReaderIsServer.characteristics();
    let reader = [reader.state, reader.client_to_server, reader.server_to_client].map(|uuid| uuid >> 96);
    assert_eq!(reader, [5, 6, 7]);
    for state in [State::Start, State::End] {
        assert_eq!(State::of(&state.value()), Some(state));
    }
    for value in [&[][..], &[0], &[3], &[1, 1]] {
        assert_eq!(State::of(value), None);
    }
}

#[test]
fn attack_45_parts_that_never_end_or_hold_nothing_are_refused() {
    let mut chunks = Chunks::new(30);
    assert_eq!(chunks.take(&[]), Err(ChunkError::Empty));
    assert_eq!(chunks.take(&[1]), Err(ChunkError::Empty));
    assert_eq!(chunks.take(&[0]), Err(ChunkError::Empty));
    assert_eq!(chunks.take(&[2, 1]), Err(ChunkError::Prefix(2)));
    assert_eq!(chunks.take(&[[1].as_slice(), &[9; 20]].concat()), Ok(None));
    let more = chunks.take(&[[1].as_slice(), &[9; 11]].concat());
    assert_eq!(more, Err(ChunkError::Message(FrameError::TooLong { got: 31, most: 30 })));
    assert_eq!(super::chunks(&[], Mtu::LEAST, 9), Err(FrameError::Empty));
    assert_eq!(super::chunks(&[0; 10], Mtu::LEAST, 9), Err(FrameError::TooLong { got: 10, most: 9 }));

    let (mut client, mut server) = linked(23);
    client.send(&[1]).unwrap();
    client.send(&[2]).unwrap();
    client.send(&[3]).unwrap();
    assert_eq!((server.receive(SOON).unwrap(), server.receive(SOON).unwrap()), (vec![1], vec![2]));
    assert!(matches!(server.receive(SOON), Err(LinkError::TooMany { most: 2 })));
    // A message that is never finished.
    let (mut client, mut server) = linked(23);
    client.gatt.write(&[1, 5]).unwrap();
    assert!(matches!(server.receive(Duration::from_millis(20)), Err(LinkError::Late)));
}

#[test]
fn attack_45_a_byte_now_and_then_holds_nobody_longer_than_the_patience_for_a_message() {
    let (mut client, mut server) = linked(23);
    // Each value comes well within the patience, the last never.
    let other = std::thread::spawn(move || {
        while client.gatt.write(&[MORE, 7]).is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let begun = Instant::now();
    assert!(matches!(server.receive(SOON), Err(LinkError::Late)));
    assert!(begun.elapsed() < SOON * 10);
    drop(server);
    other.join().unwrap();
}

#[test]
fn ble_03_a_session_begins_with_start_and_ends_with_end() {
    let (client, server) = wire(23);
    client.out.send(Event::Value(vec![0, 1])).unwrap();
    assert!(matches!(BleLink::wait(server, BOUNDS, SOON), Err(LinkError::Gone)), "a message before any beginning");
    let (_client, server) = wire(23);
    assert!(matches!(BleLink::wait(server, BOUNDS, Duration::from_millis(10)), Err(LinkError::Late)));
    let (mut client, mut server) = linked(23);
    client.send(&[1]).unwrap();
    client.end().unwrap();
    assert_eq!(server.receive(SOON).unwrap(), [1], "what was sent before the end is heard");
    assert!(matches!(server.receive(SOON), Err(LinkError::Gone)));
    assert!(matches!(server.send(&[1]), Err(LinkError::Gone)));
}

#[test]
fn ble_03_whoever_goes_says_so() {
    let (mut client, mut server) = linked(23);
    client.send(&[1]).unwrap();
    drop(client);
    assert_eq!(server.receive(SOON).unwrap(), [1]);
    assert!(matches!(server.receive(SOON), Err(LinkError::Gone)));
    // Who was told says nothing any more.
    let (client, mut server) = linked(23);
    let Wire { into, .. } = &client.gatt;
    server.over = true;
    drop(server);
    assert!(into.try_recv().is_err());
}

#[test]
fn ble_04_what_was_received_so_far_is_in_no_log() {
    let mut chunks = Chunks::new(100);
    assert_eq!(chunks.take(&[1, 201, 202, 203]), Ok(None));
    assert_eq!(format!("{chunks:?}"), "Chunks { most: 100, .. }");
    assert_eq!(format!("{:?}", Event::Value(vec![1, 201, 202])), "Value(3 bytes)");
    assert_eq!(format!("{:?}", Event::State(vec![2])), "State(Some(End))");
    assert_eq!(format!("{:?}", Event::State(vec![201])), "State(None)");
}
