//! What a network answers, where the runtime put it: wiped when it is no longer wanted.

use ort::session::SessionOutputs;
use zeroize::Zeroize;

use super::ExtractError;

/// The outputs of one run. Personal data, wiped on drop.
pub(super) struct Answer<'s>(pub(super) SessionOutputs<'s>);

impl Answer<'_> {
    /// An output, which must be of this length.
    ///
    /// # Errors
    /// [`ExtractError::Runtime`] if there is none, or it is of another length.
    pub(super) fn floats(&self, name: &str, count: usize) -> Result<&[f32], ExtractError> {
        let Self(outputs) = self;
        let missing = || ExtractError::Runtime { detail: format!("the network gave no {name}") };
        let (_, values) = outputs.get(name).ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?;
        if values.len() == count { Ok(values) } else { Err(strange()) }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let Self(outputs) = self;
        for mut value in outputs.values_mut() {
            if let Ok((_, values)) = value.try_extract_tensor_mut::<f32>() {
                values.zeroize();
            }
        }
    }
}

pub(super) fn fail(error: ort::Error) -> ExtractError {
    ExtractError::Runtime { detail: error.to_string() }
}

pub(super) fn strange() -> ExtractError {
    ExtractError::Runtime { detail: "the network's answer is not of its question's size".to_owned() }
}
