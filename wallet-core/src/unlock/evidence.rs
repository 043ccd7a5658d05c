//! Evidence that the holder opened the vault: made by a successful opening only, spent once.

use crate::presentation::{HolderVerified, RequestId};
use crate::unlock::Witness;
use schemas::Timestamp;

/// The vault was opened just now. Not `Clone`; becomes a [`HolderVerified`] for one request.
#[derive(Debug)]
pub struct Unlocked {
    at: Timestamp,
    factors: Factors,
    witness: Option<Witness>,
    examined: bool,
}

impl Unlocked {
    pub(crate) const fn new(at: Timestamp, factors: Factors, examined: bool) -> Self {
        Self { at, factors, witness: None, examined }
    }

    /// The face that opened it answered a challenge. Nobody else can say so:
    /// ```compile_fail,E0624
    /// # use wallet_core::unlock::Unlocked;
    /// fn forge(unlocked: Unlocked) -> Unlocked {
    ///     unlocked.witnessed(panic!())
    /// }
    /// ```
    pub(crate) fn witnessed(self, witness: Witness) -> Self {
        Self { witness: Some(witness), ..self }
    }

    /// Whether the face answered a challenge.
    pub const fn is_witnessed(&self) -> bool {
        self.witness.is_some()
    }

    /// Whether a network of the operator's took the frames for those of a living face. No verifier hears of it: what such a network
    /// is worth, only the operator can say.
    pub const fn is_examined(&self) -> bool {
        self.examined
    }

    /// Binds this opening to one request; there is no second one in it.
    ///
    /// ```compile_fail,E0382
    /// # use wallet_core::{presentation::RequestId, unlock::Unlocked};
    /// fn twice(unlocked: Unlocked, request: RequestId) {
    ///     let _first = unlocked.for_request(request);
    ///     let _second = unlocked.for_request(request);
    /// }
    /// ```
    pub fn for_request(self, request: RequestId) -> HolderVerified {
        let Self { at, factors, witness, examined: _ } = self;
        let evidence = HolderVerified::mint(request, at, factors.pin());
        match witness {
            // The key came from this face: a slot that needs none does not open with one.
            Some(witness) if factors.face() => evidence.by_present_face(witness),
            _ if factors.finger() => evidence.by_finger(),
            _ => evidence,
        }
    }
}

/// What a vault's slot needs, beside the device key, which every slot needs.
///
/// That the face was *present*, and no picture of it, is not in here: see [`Unlocked::is_witnessed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Factors {
    /// Face and PIN.
    FaceAndPin,
    /// The face alone: convenience only, for a face is not a secret.
    Face,
    /// The PIN alone.
    Pin,
    /// The PIN, and a finger that is compared after PIN and device key have opened: no key comes from it.
    FingerAndPin,
}

impl Factors {
    /// As a slot writes it: 1 for the face, 2 for the PIN, 4 for a finger.
    pub(crate) const fn to_bits(self) -> u32 {
        match self {
            Self::Face => 1,
            Self::Pin => 2,
            Self::FaceAndPin => 3,
            Self::FingerAndPin => 6,
        }
    }

    pub(crate) const fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            1 => Some(Self::Face),
            2 => Some(Self::Pin),
            3 => Some(Self::FaceAndPin),
            6 => Some(Self::FingerAndPin),
            _ => None,
        }
    }

    /// Whether a face was needed.
    pub const fn face(self) -> bool {
        matches!(self, Self::FaceAndPin | Self::Face)
    }

    /// Whether a PIN was needed.
    pub const fn pin(self) -> bool {
        matches!(self, Self::FaceAndPin | Self::Pin | Self::FingerAndPin)
    }

    /// Whether a finger was asked for: by this program, not by the key.
    pub const fn finger(self) -> bool {
        matches!(self, Self::FingerAndPin)
    }

    /// Whether the person must be told that this is for convenience only.
    pub const fn convenience_only(self) -> bool {
        !self.pin()
    }
}
