//! The client: looks for the device of a code, connects, and subscribes.

use super::{Radio, RadioError, WRITING, failed, value};
use crate::LinkError;
use crate::ble::{Characteristics, Event, Gatt, Mtu, State};
use bluer::gatt::WriteOp;
use bluer::gatt::remote::{Characteristic, CharacteristicWriteRequest};
use bluer::gatt::{CharacteristicReader, CharacteristicWriter};
use bluer::{Adapter, AdapterEvent, Device, DiscoveryFilter, DiscoveryTransport, Uuid};
use futures_util::{StreamExt as _, pin_mut};
use std::time::Duration;

/// A connection to a service.
pub(super) struct Client {
    ends: Ends,
    device: Device,
    radio: Radio,
}

/// What of the service is listened to and written.
struct Ends {
    state: Characteristic,
    states: CharacteristicReader,
    inward: CharacteristicReader,
    outward: CharacteristicWriter,
}

impl Client {
    pub(super) fn new(
        radio: Radio,
        characteristics: Characteristics,
        service: u128,
        within: Duration,
    ) -> Result<Self, LinkError> {
        let uuid = Uuid::from_u128(service);
        let (ends, device) = radio.during(within, async {
            let device = find(&radio.adapter, uuid).await.map_err(|error| failed(&error))?;
            let device = device.ok_or(LinkError::Late)?;
            connect(&device).await.map_err(|error| failed(&error))?;
            Ok((subscribe(&device, characteristics, uuid).await?, device))
        })?;
        Ok(Self { ends, device, radio })
    }
}

/// The device that offers the service; looking ends with it.
async fn find(adapter: &Adapter, service: Uuid) -> bluer::Result<Option<Device>> {
    let filter =
        DiscoveryFilter { uuids: [service].into(), transport: DiscoveryTransport::Le, ..DiscoveryFilter::default() };
    adapter.set_discovery_filter(filter).await?;
    let events = adapter.discover_devices_with_changes().await?;
    pin_mut!(events);
    while let Some(event) = events.next().await {
        let AdapterEvent::DeviceAdded(address) = event else { continue };
        let device = adapter.device(address)?;
        // The filter is a wish: others' searches bring their devices too.
        if device.uuids().await?.unwrap_or_default().contains(&service) {
            return Ok(Some(device));
        }
    }
    Ok(None)
}

/// Connects; the first try often fails while the search is still being ended.
async fn connect(device: &Device) -> bluer::Result<()> {
    for _ in 1..TRIES {
        if device.is_connected().await? || device.connect().await.is_ok() {
            return Ok(());
        }
    }
    device.connect().await
}

async fn subscribe(device: &Device, characteristics: Characteristics, service: Uuid) -> Result<Ends, LinkError> {
    let Characteristics { state, client_to_server, server_to_client } = characteristics;
    let found = all(device, service).await.map_err(|error| failed(&error))?;
    let named = |uuid: u128| {
        let found = found.iter().find(|(other, _)| *other == Uuid::from_u128(uuid));
        found.map(|(_, characteristic)| characteristic.clone()).ok_or(RadioError::NotOurs)
    };
    let (state, outward, inward) = (named(state)?, named(client_to_server)?, named(server_to_client)?);
    // Subscribed to before anything is said, so that no answer is missed.
    let opened = async {
        let states = state.notify_io().await?;
        let inward = inward.notify_io().await?;
        Ok((states, inward, outward.write_io().await?))
    };
    let (states, inward, outward) = opened.await.map_err(|error: bluer::Error| failed(&error))?;
    Ok(Ends { state, states, inward, outward })
}

async fn all(device: &Device, service: Uuid) -> bluer::Result<Vec<(Uuid, Characteristic)>> {
    let mut found = Vec::new();
    for offered in device.services().await? {
        if offered.uuid().await? == service {
            for characteristic in offered.characteristics().await? {
                found.push((characteristic.uuid().await?, characteristic));
            }
        }
    }
    Ok(found)
}

impl Gatt for Client {
    fn mtu(&self) -> Mtu {
        // Of the exchange, or of a value, which is three less: too little is no harm.
        Mtu::agreed(u16::try_from(self.ends.outward.mtu()).unwrap_or(u16::MAX))
    }

    fn write(&mut self, value: &[u8]) -> Result<(), LinkError> {
        self.radio.during(WRITING, async { Ok(self.ends.outward.send(value).await?) })
    }

    fn write_state(&mut self, state: State) -> Result<(), LinkError> {
        let request = CharacteristicWriteRequest { op_type: WriteOp::Command, ..CharacteristicWriteRequest::default() };
        let written = async {
            let written = self.ends.state.write_ext(&state.value(), &request).await;
            Ok(written.map_err(|error| failed(&error))?)
        };
        self.radio.during(WRITING, written)
    }

    fn next(&mut self, within: Duration) -> Result<Event, LinkError> {
        self.radio.during(within, async {
            tokio::select! {
                biased;
                // What a message is made of comes before the word that the session is over.
                came = value(Some(&self.ends.inward)) => Ok(Event::Value(came?)),
                came = value(Some(&self.ends.states)) => Ok(Event::State(came?)),
            }
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // What cannot be hung up goes away by itself.
        let _ = self
            .radio
            .during(HANGING_UP, async { Ok(self.device.disconnect().await.map_err(|error| failed(&error))?) });
    }
}

const TRIES: u32 = 3;
const HANGING_UP: Duration = Duration::from_secs(2);
