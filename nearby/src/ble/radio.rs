//! This machine's radio: both ends of the port [`Gatt`], where the feature `ble` is built in (Linux, by BlueZ).
//!
//! **Never on the air**: no machine that this was built on has Bluetooth. What was seen to work is that it compiles, and that a
//! machine without Bluetooth is told so (`docs/decisions/0130`).

use super::{Gatt, Mode};
use crate::LinkError;
#[cfg(not(all(feature = "ble", target_os = "linux")))]
use absent as adapter;
#[cfg(all(feature = "ble", target_os = "linux"))]
use bluez as adapter;
use std::time::Duration;

#[cfg(not(all(feature = "ble", target_os = "linux")))]
mod absent;
#[cfg(all(feature = "ble", target_os = "linux"))]
mod bluez;

/// Why this machine has no radio for us.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RadioError {
    /// The program was built without it.
    #[error("this program was built without Bluetooth")]
    NotBuilt,
    /// There is no system bus, or nobody on it who knows of Bluetooth.
    #[error("no Bluetooth service runs on this machine")]
    NoService,
    /// There is no adapter.
    #[error("this machine has no Bluetooth adapter")]
    NoAdapter,
    /// The adapter is off, and cannot be turned on by us.
    #[error("the Bluetooth adapter is off, or blocked")]
    Off,
    /// The other device has not the service that its code promised.
    #[error("the device found does not offer what its code says")]
    NotOurs,
    /// Anything else, in the words of the Bluetooth service.
    #[error("Bluetooth failed: {0}")]
    Failed(String),
}

impl RadioError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotBuilt => "build it with --features ble, on Linux, or leave out --ble",
            Self::NoService => "start the service bluetooth (package bluez), or leave out --ble",
            Self::NoAdapter => "plug an adapter in, or leave out --ble",
            Self::Off => "turn Bluetooth on (bluetoothctl power on, rfkill unblock bluetooth), or leave out --ble",
            Self::NotOurs => "ask for a new code: each is good for one meeting",
            Self::Failed(_) => "try again nearer to the other device, or leave out --ble",
        }
    }
}

/// An adapter that is there and on.
pub struct Radio(adapter::Radio);

impl Radio {
    /// This machine's adapter; turns it on where that is possible.
    ///
    /// # Errors
    /// [`RadioError`].
    pub fn find() -> Result<Self, RadioError> {
        adapter::Radio::find().map(Self)
    }

    /// Lets itself be found under `service`, and serves the characteristics of `mode` to the first device that comes.
    ///
    /// # Errors
    /// [`RadioError`].
    ///
    /// # Source
    /// ISO/IEC 18013-5:2021 §8.3.3.1.1.4.
    pub fn serve(self, mode: Mode, service: &[u8; 16]) -> Result<Box<dyn Gatt>, RadioError> {
        self.0.serve(mode.characteristics(), u128::from_be_bytes(*service))
    }

    /// Looks for the device that serves `service`, and connects to it.
    ///
    /// # Errors
    /// [`LinkError::Late`] when none was found in time; [`LinkError::Radio`].
    ///
    /// # Source
    /// ISO/IEC 18013-5:2021 §8.3.3.1.1.4.
    pub fn seek(self, mode: Mode, service: &[u8; 16], within: Duration) -> Result<Box<dyn Gatt>, LinkError> {
        self.0.seek(mode.characteristics(), u128::from_be_bytes(*service), within)
    }
}

impl Gatt for Box<dyn Gatt> {
    fn mtu(&self) -> super::Mtu {
        (**self).mtu()
    }

    fn write(&mut self, value: &[u8]) -> Result<(), LinkError> {
        (**self).write(value)
    }

    fn write_state(&mut self, state: super::State) -> Result<(), LinkError> {
        (**self).write_state(state)
    }

    fn next(&mut self, within: Duration) -> Result<super::Event, LinkError> {
        (**self).next(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is seen here depends on the machine: whatever is missing has a name, and a way out.
    #[test]
    fn ble_05_where_there_is_no_bluetooth_it_is_said_what_is_missing_and_what_to_do() {
        let built = cfg!(all(feature = "ble", target_os = "linux"));
        match Radio::find() {
            Ok(_) => assert!(built),
            Err(error) => {
                assert_eq!(error == RadioError::NotBuilt, !built, "{error}");
                assert!(!error.to_string().is_empty() && error.hint().contains("--ble"), "{error}");
            }
        }
    }
}
