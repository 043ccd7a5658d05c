//! Signed trust lists that the person took: whom they name is known, for what and until when.

use super::{Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use credentials::time_floor::TimeFloor;
use credentials::trust::TrustAnchors;
use credentials::trust::list::{self, TrustListError, VerifiedTrustList};
use rand_core::CryptoRng;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A list as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The anchors of who signs it, PEM: believed for this list and nothing else.
    signers: String,
    token: String,
    /// When its first number was taken: the order of the lists.
    since: Timestamp,
    /// When this one was.
    taken_at: Timestamp,
}

impl Kept {
    fn signers(&self) -> Result<TrustAnchors, HoldingsError> {
        Ok(TrustAnchors::from_pem(self.signers.as_bytes())?)
    }
}

fn are_the_same(one: &TrustAnchors, other: &TrustAnchors) -> bool {
    let all = |anchors: &TrustAnchors| anchors.iter().map(|anchor| anchor.sha256()).collect::<BTreeSet<_>>();
    all(one) == all(other)
}

impl Holdings<'_> {
    /// The lists that were taken, in the order in which each first was. One whose record is damaged is left out: then whom it
    /// names is not known, which the person is shown.
    pub fn trust_lists(&self) -> Vec<VerifiedTrustList> {
        self.kept_lists().into_iter().map(|(_, _, list)| list).collect()
    }

    /// The time that has passed for certain: when the newest list was issued.
    ///
    /// # Source
    /// `security.md` §4.6 "Replay and clocks".
    pub fn time_floor(&self) -> TimeFloor {
        TimeFloor::new(self.trust_lists().iter().map(VerifiedTrustList::issued_at).max(), None)
    }

    fn kept_lists(&self) -> Vec<(RecordId, Kept, VerifiedTrustList)> {
        let read = |id: RecordId| {
            let kept: Kept = self.parse(id).ok()?;
            let list = list::verify(&kept.token, &kept.signers().ok()?, None, kept.taken_at).ok()?;
            Some((id, kept, list))
        };
        let mut lists: Vec<_> = self.records.ids(RecordKind::TRUST_LIST).into_iter().filter_map(read).collect();
        lists.sort_by_key(|(id, kept, _)| (kept.since, *id));
        lists
    }

    /// Takes a trust list: a new one, signed by the authority whose anchors (PEM) are `signers`, or a later number of one that
    /// is here. Save the vault to keep it.
    ///
    /// # Errors
    /// [`HoldingsError::TrustList`] when it does not hold; [`HoldingsError::NoListSigner`] for a new one without `signers`;
    /// [`HoldingsError::OtherAuthorities`] when others were named for it before.
    ///
    /// # Source
    /// `docs/decisions/0095`.
    pub fn take_trust_list(
        &mut self,
        token: &str,
        signers: Option<&[u8]>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<VerifiedTrustList, HoldingsError> {
        let token = token.trim();
        let named = signers.map(TrustAnchors::from_pem).transpose()?;
        let here = self.kept_lists();
        for (id, kept, known) in &here {
            let pinned = kept.signers()?;
            match list::verify(token, &pinned, Some(known.known()), now) {
                Ok(list) => {
                    if named.as_ref().is_some_and(|named| !are_the_same(named, &pinned)) {
                        return Err(HoldingsError::OtherAuthorities(list.name()));
                    }
                    let (signers, token) = (kept.signers.clone(), token.to_owned());
                    let newer = Kept { signers, token, since: kept.since, taken_at: now };
                    self.write(RecordKind::TRUST_LIST, Some(*id), &newer, rng)?;
                    return Ok(list);
                }
                // Of somebody else, or another list of the same authority: perhaps the next one.
                Err(TrustListError::OtherAuthority | TrustListError::OtherList) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (Some(named), Some(pem)) = (named, signers) else { return Err(HoldingsError::NoListSigner) };
        let list = list::verify(token, &named, None, now)?;
        if here.iter().any(|(_, _, other)| other.known().name == list.known().name) {
            return Err(HoldingsError::OtherAuthorities(list.name()));
        }
        let signers = String::from_utf8_lossy(pem).into_owned();
        let new = Kept { signers, token: token.to_owned(), since: now, taken_at: now };
        self.write(RecordKind::TRUST_LIST, None, &new, rng)?;
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::holdings::testing::Memory;
    use crate::testing::{NOW, Party};
    use crate::vault::MAX_RECORD;
    use credentials::trust::list::{Entry, TrustListDraft, TrustListIssueError};
    use credentials::trust::{AnchorLimits, Trust, Usage};
    use schemas::Seconds;

    fn certificate(party: &Party) -> Vec<u8> {
        party.anchors().iter().next().unwrap().der().to_vec()
    }

    fn sign(by: &Party, sequence: u64, issued_at: Timestamp, entries: &[Entry]) -> String {
        let (name, expires_at) = ("urn:list", issued_at.plus(Seconds::DAY));
        let draft = TrustListDraft { name, sequence, issued_at, expires_at, ttl: Seconds::HOUR, entries };
        draft.sign(&by.chain, &by.key).unwrap()
    }

    #[test]
    fn attack_65_66_72_a_list_in_the_vault_names_verifiers_until_it_ends_and_goes_only_forward() {
        let (mut memory, mut rng) = Memory::seeded(41);
        let ministry = Party::new("Ministry", &[], Usage::TrustListSigning, &mut rng);
        let other = Party::new("Other", &[], Usage::TrustListSigning, &mut rng);
        let post = Party::new("Border post", &["post.example"], Usage::Verifier, &mut rng);
        let entries = [Entry::new(certificate(&post), vec![Usage::Verifier], AnchorLimits::default()).unwrap()];
        let mut holdings = Holdings::of(&mut memory);
        let trust = |holdings: &Holdings<'_>, usage, at| {
            post.chain.verify_or_unknown(&holdings.trust_anchors(), usage, at).map(|chain| chain.trust())
        };
        let end = NOW.plus(Seconds::DAY);
        let list = sign(&ministry, 3, NOW, &entries);
        assert_eq!(holdings.take_trust_list(&list, None, NOW, &mut rng), Err(HoldingsError::NoListSigner));
        assert_eq!(trust(&holdings, Usage::Verifier, NOW), Ok(Trust::NotKnown));
        let signers = ministry.anchor_pem.as_bytes();
        assert_eq!(holdings.take_trust_list(&list, Some(signers), NOW, &mut rng).unwrap().sequence(), 3);
        assert_eq!(trust(&holdings, Usage::Verifier, NOW), Ok(Trust::Known));
        // Nobody on it registers verifiers, and to trust one of them for that is new.
        assert!(holdings.registrars().is_empty());
        assert_eq!(holdings.trust_registrar(post.anchor_pem.as_bytes(), &mut rng), Ok(1));
        assert_eq!(holdings.registrars().len(), 1);
        // Ended, it is a stranger to the person again.
        assert_eq!(trust(&holdings, Usage::Verifier, end), Ok(Trust::NotKnown));

        let older = holdings.take_trust_list(&sign(&ministry, 2, NOW, &entries), None, NOW, &mut rng);
        let rolled = TrustListError::RolledBack { seen: 3, got: 2 };
        assert_eq!(older, Err(HoldingsError::TrustList(rolled)));
        let foreign = sign(&other, 9, NOW, &[]);
        let foreign = holdings.take_trust_list(&foreign, Some(other.anchor_pem.as_bytes()), NOW, &mut rng);
        assert_eq!(foreign, Err(HoldingsError::OtherAuthorities("urn:list".to_owned())));
        let next = sign(&ministry, 4, end, &entries);
        let moved = holdings.take_trust_list(&next, Some(other.anchor_pem.as_bytes()), end, &mut rng);
        assert_eq!(moved, Err(HoldingsError::OtherAuthorities("urn:list".to_owned())));
        assert!(holdings.take_trust_list(&next, None, end, &mut rng).is_ok());
        assert_eq!(trust(&holdings, Usage::Verifier, end), Ok(Trust::Known));
        assert_eq!(holdings.trust_lists().len(), 1, "in its place");
        // Withdrawn: whoever names it later.
        let gone = [Entry::withdrawn(certificate(&post)).unwrap()];
        holdings.take_trust_list(&sign(&ministry, 5, end, &gone), None, end, &mut rng).unwrap();
        assert_eq!(trust(&holdings, Usage::Verifier, end), Ok(Trust::NotKnown));
        // It was issued: a clock well before that is wrong, and what ended by then stays ended (attack 72).
        assert_eq!(holdings.time_floor().time(), end);
        assert!(holdings.time_floor().judge(end.minus(Seconds::new(121))).is_err());
        assert_eq!(holdings.time_floor().judge(end.minus(Seconds::new(120))), Ok(end));
        // The longest list that anyone signs fits a record, with who signs it.
        let padded = |length: usize| {
            let types = Some(vec!["x".repeat(length)]);
            let limits = AnchorLimits { types, ..AnchorLimits::default() };
            [Entry::new(certificate(&post), vec![Usage::Verifier], limits).unwrap()]
        };
        let room = list::LONGEST - sign(&ministry, 6, end, &padded(0)).len();
        let longest = sign(&ministry, 6, end, &padded(room / 4 * 3));
        assert!((list::LONGEST - 8..=list::LONGEST).contains(&longest.len()), "{}", longest.len());
        let (name, expires_at, entries) = ("urn:list", end.plus(Seconds::DAY), &padded(room)[..]);
        let longer = TrustListDraft { name, sequence: 6, issued_at: end, expires_at, ttl: Seconds::HOUR, entries };
        let refused = longer.sign(&ministry.chain, &ministry.key);
        assert!(matches!(refused, Err(TrustListIssueError::TooLong { got }) if got > list::LONGEST));
        Holdings::of(&mut memory).take_trust_list(&longest, None, end, &mut rng).unwrap();
        let kept = memory.records[&memory.ids_of(RecordKind::TRUST_LIST)[0]].1.len();
        assert!(kept < MAX_RECORD, "{kept}");
        // A record that is damaged makes nobody known.
        let id = memory.ids_of(RecordKind::TRUST_LIST)[0];
        memory.records.get_mut(&id).unwrap().1.truncate(40);
        assert!(Holdings::of(&mut memory).trust_lists().is_empty());
    }
}
