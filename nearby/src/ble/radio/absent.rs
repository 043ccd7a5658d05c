//! No radio: the program was built without one.

use super::{Gatt, RadioError};
use crate::LinkError;
use crate::ble::Characteristics;
use std::convert::Infallible;
use std::time::Duration;

/// There is none.
pub(super) struct Radio(Infallible);

impl Radio {
    pub(super) const fn find() -> Result<Self, RadioError> {
        Err(RadioError::NotBuilt)
    }

    pub(super) const fn serve(self, _: Characteristics, _: u128) -> Result<Box<dyn Gatt>, RadioError> {
        match self.0 {}
    }

    pub(super) const fn seek(self, _: Characteristics, _: u128, _: Duration) -> Result<Box<dyn Gatt>, LinkError> {
        match self.0 {}
    }
}
