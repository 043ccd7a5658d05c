//! The server: lets itself be found, and speaks to the first device that writes.

use super::{Radio, RadioError, WRITING, failed, value};
use crate::LinkError;
use crate::ble::{Characteristics, Event, Gatt, Mtu, State};
use bluer::Uuid;
use bluer::adv::{Advertisement, AdvertisementHandle};
use bluer::gatt::local::{
    Application, ApplicationHandle, Characteristic, CharacteristicControl, CharacteristicControlEvent,
    CharacteristicControlHandle, CharacteristicNotify, CharacteristicNotifyMethod, CharacteristicWrite,
    CharacteristicWriteMethod, ReqError, Service, characteristic_control,
};
use bluer::gatt::{CharacteristicReader, CharacteristicWriter};
use bluer::{Address, ErrorKind};
use futures_util::StreamExt as _;
use std::time::Duration;

/// What is heard of one characteristic, and what it is written by.
#[derive(Default)]
struct Ends {
    reader: Option<CharacteristicReader>,
    writer: Option<CharacteristicWriter>,
}

/// A service that one device talks to.
pub(super) struct Server {
    // Dropped in this order: what is in the air is taken down before the threads that do it.
    advertised: Option<AdvertisementHandle>,
    _served: ApplicationHandle,
    controls: [CharacteristicControl; 3],
    ends: [Ends; 3],
    peer: Option<Address>,
    radio: Radio,
}

/// The places of the characteristics in what stands by three: *state*, to the server, to the client.
const STATE: usize = 0;
const INWARD: usize = 1;
const OUTWARD: usize = 2;

impl Server {
    pub(super) fn new(radio: Radio, characteristics: Characteristics, service: u128) -> Result<Self, RadioError> {
        let Characteristics { state, client_to_server, server_to_client } = characteristics;
        let [(first, at_first), (second, at_second), (third, at_third)] =
            [characteristic_control(), characteristic_control(), characteristic_control()];
        let uuid = Uuid::from_u128(service);
        let application = Application {
            services: vec![Service {
                uuid,
                primary: true,
                characteristics: vec![
                    characteristic(state, true, true, at_first),
                    characteristic(client_to_server, true, false, at_second),
                    characteristic(server_to_client, false, true, at_third),
                ],
                ..Service::default()
            }],
            ..Application::default()
        };
        // No name, no maker: nothing but the identifier, which is another one each time.
        let advertisement = Advertisement {
            service_uuids: [uuid].into(),
            discoverable: Some(true),
            timeout: Some(LONGEST),
            ..Advertisement::default()
        };
        let (served, advertised) = radio
            .runtime
            .block_on(async {
                let served = radio.adapter.serve_gatt_application(application).await?;
                Ok((served, radio.adapter.advertise(advertisement).await?))
            })
            .map_err(|error: bluer::Error| match error.kind {
                ErrorKind::NotReady => RadioError::Off,
                _ => failed(&error),
            })?;
        Ok(Self {
            advertised: Some(advertised),
            _served: served,
            controls: [first, second, third],
            ends: Default::default(),
            peer: None,
            radio,
        })
    }
}

fn characteristic(uuid: u128, written: bool, told: bool, control: CharacteristicControlHandle) -> Characteristic {
    Characteristic {
        uuid: Uuid::from_u128(uuid),
        write: written.then(|| CharacteristicWrite {
            write_without_response: true,
            method: CharacteristicWriteMethod::Io,
            ..CharacteristicWrite::default()
        }),
        notify: told.then(|| CharacteristicNotify {
            notify: true,
            method: CharacteristicNotifyMethod::Io,
            ..CharacteristicNotify::default()
        }),
        control_handle: control,
        ..Characteristic::default()
    }
}

/// What happened.
enum Happened {
    Came(Event),
    Control(usize, CharacteristicControlEvent),
}

/// Waits for the next thing. What a message is made of comes before the word that the session is over.
async fn happening(controls: &mut [CharacteristicControl; 3], ends: &[Ends; 3]) -> Result<Happened, LinkError> {
    let [state, inward, outward] = controls;
    let [state_ends, inward_ends, _] = ends;
    let control = |place, event: Option<_>| event.map(|event| Happened::Control(place, event)).ok_or(LinkError::Gone);
    tokio::select! {
        biased;
        came = value(inward_ends.reader.as_ref()) => Ok(Happened::Came(Event::Value(came?))),
        event = inward.next() => control(INWARD, event),
        event = outward.next() => control(OUTWARD, event),
        event = state.next() => control(STATE, event),
        came = value(state_ends.reader.as_ref()) => Ok(Happened::Came(Event::State(came?))),
    }
}

/// Takes the first device that comes, and turns others away.
fn take(
    peer: &mut Option<Address>,
    ends: Option<&mut Ends>,
    event: CharacteristicControlEvent,
) -> Result<(), LinkError> {
    let Some(ends) = ends else { return Ok(()) };
    match event {
        CharacteristicControlEvent::Write(request)
            if *peer.get_or_insert(request.device_address()) == request.device_address() =>
        {
            ends.reader = Some(request.accept().map_err(|error| failed(&error))?);
        }
        CharacteristicControlEvent::Write(request) => request.reject(ReqError::NotPermitted),
        // Whoever only listens is nobody yet: it hears nothing before it wrote.
        CharacteristicControlEvent::Notify(writer) if peer.is_none_or(|peer| peer == writer.device_address()) => {
            ends.writer = Some(writer);
        }
        CharacteristicControlEvent::Notify(_) => {}
    }
    Ok(())
}

impl Server {
    /// Writes to whoever listens there, once it does.
    fn tell(&mut self, place: usize, value: &[u8]) -> Result<(), LinkError> {
        let Self { controls, ends, peer, radio, .. } = self;
        radio.during(WRITING, async {
            loop {
                let writer = ends.get(place).and_then(|ends| ends.writer.as_ref());
                match writer.filter(|writer| *peer == Some(writer.device_address())) {
                    Some(writer) => return Ok(writer.send(value).await?),
                    None => {
                        let [state, inward, outward] = &mut *controls;
                        let (place, event) = tokio::select! {
                            event = state.next() => (STATE, event),
                            event = inward.next() => (INWARD, event),
                            event = outward.next() => (OUTWARD, event),
                        };
                        take(peer, ends.get_mut(place), event.ok_or(LinkError::Gone)?)?;
                    }
                }
            }
        })
    }
}

impl Gatt for Server {
    fn mtu(&self) -> Mtu {
        let [_, _, Ends { writer, .. }] = &self.ends;
        // Of the exchange, or of a value, which is three less: too little is no harm.
        writer.as_ref().map_or(Mtu::LEAST, |writer| Mtu::agreed(u16::try_from(writer.mtu()).unwrap_or(u16::MAX)))
    }

    fn write(&mut self, value: &[u8]) -> Result<(), LinkError> {
        self.tell(OUTWARD, value)
    }

    fn write_state(&mut self, state: State) -> Result<(), LinkError> {
        self.tell(STATE, &state.value())
    }

    fn next(&mut self, within: Duration) -> Result<Event, LinkError> {
        let Self { advertised, controls, ends, peer, radio, .. } = self;
        radio.during(within, async {
            loop {
                match happening(controls, ends).await? {
                    Happened::Came(event) => {
                        // Somebody is here: nobody else need find us.
                        drop(advertised.take());
                        return Ok(event);
                    }
                    Happened::Control(place, event) => take(peer, ends.get_mut(place), event)?,
                }
            }
        })
    }
}

/// Nobody is looked for longer than this.
const LONGEST: Duration = Duration::from_secs(300);
