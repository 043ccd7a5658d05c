//! The answer that is handed over in person.

use super::Consented;
use crate::history::EntryNumber;
use crate::holdings::{Credential, Holdings, Unsaved};
use crate::presentation::answer_error::AnswerError;
use crate::presentation::ask::InPerson;
use crate::presentation::choice::{Choice, ChoiceError};
use crate::presentation::evidence::HolderVerified;
use crate::presentation::in_person::{Handing, Unanswered, nothing_to_show};
use crate::presentation::offered::Offered;
use crate::presentation::sending::Receipt;
use credentials::mdoc::{Document, device_response};
use credentials::proximity::SessionStatus;
use rand_core::CryptoRng;
use schemas::Timestamp;

impl Offered<InPerson> {
    /// The same, in person. What stops the person's choice stops the session with it.
    ///
    /// # Errors
    /// [`Unanswered`], which holds the message that a wallet without anything to show would send.
    pub fn consent(
        self,
        choice: &Choice,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Consented<InPerson>, Unanswered<ChoiceError>> {
        self.consented(choice, now, rng).map_err(|(error, ask)| Unanswered::new(error, nothing_to_show(*ask)))
    }
}

impl Consented<InPerson> {
    /// Says no after all: the message that ends the session.
    pub fn refuse(self) -> Vec<u8> {
        nothing_to_show(self.ask)
    }

    /// Makes the answer: takes a copy of each document, never to be used again, authenticates it in this session, and writes
    /// the history. A MAC convinces this reader and nobody whom it might show it to.
    ///
    /// # Errors
    /// [`Unanswered`] with [`AnswerError`]. Drop the vault without saving then.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.2, §9.1.3.5; `security.md` §3.3, §4.1, §8.
    pub fn answer(
        self,
        holder: HolderVerified,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Handing>, Unanswered<AnswerError>> {
        let made = self.documents(&holder, holdings, now, rng);
        let Self { ask, .. } = self;
        match made {
            Ok((documents, receipt, entry)) => {
                let InPerson(session) = ask.way;
                let sent = session.send(&device_response(&documents));
                let ended = |_| Unanswered::new(AnswerError::Encryption, SessionStatus::Termination.message());
                let (session, message) = sent.map_err(ended)?;
                Ok(Unsaved::new(Handing::new(message, session, receipt, entry)))
            }
            Err(error) => Err(Unanswered::new(error, nothing_to_show(ask))),
        }
    }

    fn documents(
        &self,
        holder: &HolderVerified,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<Document>, Receipt, Option<EntryNumber>), AnswerError> {
        self.check(holder, now)?;
        let grant = self.grant(holdings, now)?;
        let InPerson(session) = &self.ask.way;
        let (mut documents, mut signed) = (Vec::new(), false);
        for item in &self.items {
            let signs = !signed && self.signs(item);
            signed |= signs;
            let id = item.held.id();
            let copy = holdings.spend(id, self.reuse_last_copy, rng)?.ok_or(AnswerError::LastCopyUsed(id))?;
            let Some(Credential::Mdoc(document)) = copy.reopen() else { return Err(AnswerError::Copy(id)) };
            let own = self.own_elements(&document, holder, grant.as_ref().filter(|_| signs));
            let selection = document.select(&item.paths).map_err(|_| AnswerError::Copy(id))?;
            let made = selection.authenticate(session.transcript(), &own, &copy.key, session.peer_key());
            documents.push(made.map_err(|_| AnswerError::Copy(id))?);
        }
        let receipt = self.receipt(grant.as_ref());
        let entry = self.record(&receipt, grant.as_ref(), holdings, now, rng)?;
        Ok((documents, receipt, entry))
    }
}
