//! Trust anchors that the person added: of issuers, of verifiers, and of those who register verifiers.

use super::{Holdings, HoldingsError};
use crate::vault::RecordKind;
use credentials::trust::TrustAnchors;
use rand_core::CryptoRng;

impl Holdings<'_> {
    /// All trust anchors: those that the person added, then those that trust lists name, each list's until it ends.
    ///
    /// One whose record is damaged is left out: then its parties are not known, which the person is shown.
    pub fn trust_anchors(&self) -> TrustAnchors {
        let mut anchors = self.own_anchors(RecordKind::TRUST_ANCHOR);
        for list in self.trust_lists() {
            anchors.add_listed(&list);
        }
        anchors
    }

    /// The trust anchors of those who register verifiers, which no list names. They vouch for nobody: only for what a verifier may
    /// ask for.
    pub fn registrars(&self) -> TrustAnchors {
        self.own_anchors(RecordKind::REGISTRAR)
    }

    fn own_anchors(&self, kind: RecordKind) -> TrustAnchors {
        let mut anchors = TrustAnchors::default();
        for id in self.records.ids(kind) {
            if let Ok(pem) = self.records.read(id) {
                let _ = anchors.add_pem(&pem);
            }
        }
        anchors
    }

    /// The same as [`Holdings::trust`] for one who registers verifiers.
    ///
    /// # Errors
    /// As [`Holdings::trust`].
    pub fn trust_registrar(&mut self, pem: &[u8], rng: &mut dyn CryptoRng) -> Result<usize, HoldingsError> {
        let new = self.registrars().add_pem(pem)?;
        if new > 0 {
            self.records.put(RecordKind::REGISTRAR, None, pem, rng)?;
        }
        Ok(new)
    }

    /// Adds the trust anchors of a PEM text; gives how many were new. Save the vault to keep them.
    ///
    /// # Errors
    /// [`HoldingsError::Anchor`] when there is none in it, or something else.
    pub fn trust(&mut self, pem: &[u8], rng: &mut dyn CryptoRng) -> Result<usize, HoldingsError> {
        let mut own = self.own_anchors(RecordKind::TRUST_ANCHOR);
        // One that only a list names is new: it is believed without the list from now on.
        let new = own.add_pem(pem)?;
        if new > 0 {
            self.records.put(RecordKind::TRUST_ANCHOR, None, pem, rng)?;
        }
        Ok(new)
    }
}
