//! The radio by BlueZ, over the system's D-Bus: a server that is found, and a client that looks for one.
//!
//! Never on the air (`docs/decisions/0130`). The link is neither paired nor encrypted by Bluetooth: whatever is said through it is
//! encrypted by whoever says it.

mod client;
mod server;

use super::{Gatt, RadioError};
use crate::LinkError;
use crate::ble::Characteristics;
use bluer::gatt::CharacteristicReader;
use bluer::{Adapter, ErrorKind, InternalErrorKind, Session};
use std::future::Future;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// An adapter that is on, and the threads that talk to it.
pub(super) struct Radio {
    runtime: Runtime,
    adapter: Adapter,
}

impl Radio {
    pub(super) fn find() -> Result<Self, RadioError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| RadioError::Failed(error.to_string()))?;
        let adapter = runtime.block_on(async {
            let session = Session::new().await.map_err(|error| failed(&error))?;
            let adapter = session.default_adapter().await.map_err(|error| match error.kind {
                ErrorKind::NotFound => RadioError::NoAdapter,
                _ => failed(&error),
            })?;
            // One that is blocked by a switch, or another's to turn on, stays off.
            adapter.set_powered(true).await.map_err(|_| RadioError::Off)?;
            Ok(adapter)
        })?;
        Ok(Self { runtime, adapter })
    }

    pub(super) fn serve(self, characteristics: Characteristics, service: u128) -> Result<Box<dyn Gatt>, RadioError> {
        Ok(Box::new(server::Server::new(self, characteristics, service)?))
    }

    pub(super) fn seek(
        self,
        characteristics: Characteristics,
        service: u128,
        within: Duration,
    ) -> Result<Box<dyn Gatt>, LinkError> {
        Ok(Box::new(client::Client::new(self, characteristics, service, within)?))
    }

    /// Does `work`, so long at most.
    fn during<T>(&self, within: Duration, work: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
        self.runtime.block_on(async { tokio::time::timeout(within, work).await.unwrap_or(Err(LinkError::Late)) })
    }
}

/// The next value; without a reader yet, nothing ever comes.
async fn value(reader: Option<&CharacteristicReader>) -> Result<Vec<u8>, LinkError> {
    match reader {
        Some(reader) => {
            let value = reader.recv().await?;
            // Whoever has gone leaves a stream of nothing.
            if value.is_empty() { Err(LinkError::Gone) } else { Ok(value) }
        }
        None => std::future::pending().await,
    }
}

fn failed(error: &bluer::Error) -> RadioError {
    let name = match &error.kind {
        ErrorKind::Internal(InternalErrorKind::DBus(name)) => name.as_str(),
        ErrorKind::Internal(InternalErrorKind::DBusConnectionLost) => return RadioError::NoService,
        _ => "",
    };
    match name {
        "org.freedesktop.DBus.Error.FileNotFound"
        | "org.freedesktop.DBus.Error.NoServer"
        | "org.freedesktop.DBus.Error.BadAddress"
        | "org.freedesktop.DBus.Error.ServiceUnknown"
        | "org.freedesktop.DBus.Error.NameHasNoOwner" => RadioError::NoService,
        _ => RadioError::Failed(error.to_string()),
    }
}

/// How long one value may take to be taken.
const WRITING: Duration = Duration::from_secs(10);
