//! Asking a holder who stands beside the desk, with no network on either side: a question becomes a request of ISO/IEC 18013-5.
//!
//! What is asked, proposed and checked is what is asked online; only the way differs. Such a request names documents and their
//! elements and nothing else, so that alternatives, values and authorities of a query are judged when the answer is there.

use crate::transaction::{Inquiry, Transaction};
use credentials::dcql::{DcqlError, Query};
use credentials::mdoc;
use credentials::mdoc::SessionTranscript;
use credentials::proximity::{DocumentRequest, IntentToRetain, RequestError, write_request};
use credentials::signer::Signer;
use credentials::trust::CertificateChain;
use schemas::dcql::DcqlQuery;
use schemas::{ClaimPath, PathElement};
use std::collections::BTreeSet;

/// Why a question cannot be asked in person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotInPerson {
    /// Something else than mobile documents.
    #[error("credential query {0} is not for a mobile document (mso_mdoc), and in person only those are shown")]
    Format(String),
    /// No elements.
    #[error("credential query {0} names no claims, and in person elements are asked for by name")]
    NoClaims(String),
    /// One type twice: what comes could not be told apart.
    #[error("document type {0} is asked for twice")]
    Twice(String),
    /// Not a query any more, with its new names.
    #[error(transparent)]
    Query(#[from] DcqlError),
}

/// The query as it is asked in person: its documents are called `document-1` and so on, which both sides can tell by their
/// order, for a request of ISO/IEC 18013-5 gives them no names.
///
/// # Errors
/// [`NotInPerson`].
pub fn by_position(query: &Query) -> Result<Query, NotInPerson> {
    let mut wire: DcqlQuery = query.as_wire().clone();
    let mut types = BTreeSet::new();
    let mut names = Vec::new();
    for (asked, n) in wire.credentials.iter_mut().zip(1..) {
        if asked.format != mdoc::FORMAT {
            return Err(NotInPerson::Format(asked.id.clone()));
        }
        if asked.claims.is_none() {
            return Err(NotInPerson::NoClaims(asked.id.clone()));
        }
        let doc_type = asked.meta.doctype_value.clone().unwrap_or_default();
        if !types.insert(doc_type.clone()) {
            return Err(NotInPerson::Twice(doc_type));
        }
        let name = format!("document-{n}");
        names.push((std::mem::replace(&mut asked.id, name.clone()), name));
    }
    for named in wire.credential_sets.iter_mut().flatten().flat_map(|set| set.options.iter_mut().flatten()) {
        if let Some((_, name)) = names.iter().find(|(old, _)| old == named) {
            named.clone_from(name);
        }
    }
    Ok(Query::check(wire)?)
}

/// The request of a transaction, signed for one session.
///
/// # Errors
/// [`RequestError`].
///
/// # Source
/// ISO/IEC 18013-5 §8.3.2.1.2.1, §9.1.4.
pub fn request(
    transaction: &Transaction,
    session: &SessionTranscript,
    chain: &CertificateChain,
    signer: &dyn Signer,
) -> Result<Vec<u8>, RequestError> {
    let documents = documents(transaction.inquiry()).map(|document| match transaction.proposal() {
        Some(proposal) => document.proposing(proposal),
        None => document,
    });
    write_request(&documents.collect::<Vec<_>>(), session, Some((chain, signer)))
}

fn documents(inquiry: &Inquiry) -> impl Iterator<Item = DocumentRequest> {
    inquiry.query().credentials().iter().map(|asked| {
        let request = DocumentRequest::new(asked.meta.doctype_value.as_deref().unwrap_or_default());
        asked.claims.iter().flatten().fold(request, |request, claim| match element(&claim.path) {
            Some((name_space, name)) => request.with(name_space, name, intent(claim.intent_to_retain)),
            None => request,
        })
    })
}

fn element(path: &ClaimPath) -> Option<(&str, &str)> {
    match path.elements() {
        [PathElement::Name(name_space), PathElement::Name(name)] => Some((name_space, name)),
        _ => None,
    }
}

/// Under a consent nothing is kept beyond its end: what is said to be kept is only what the query says.
const fn intent(says: Option<bool>) -> IntentToRetain {
    match says {
        Some(true) => IntentToRetain::Yes,
        _ => IntentToRetain::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::AcceptedFormat;
    use crate::preset::Preset;

    #[test]
    fn presets_are_asked_in_person_and_what_cannot_be_is_refused_by_name() {
        for preset in Preset::ALL {
            let query = Query::check(preset.query(AcceptedFormat::Mdoc)).unwrap();
            let asked = by_position(&query).unwrap();
            assert_eq!(asked.credentials()[0].id, "document-1");
            assert_eq!(asked.credentials()[0].claims, query.credentials()[0].claims);
        }
        let either = Query::check(Preset::AgeOver18.query(AcceptedFormat::Any)).unwrap();
        assert_eq!(by_position(&either), Err(NotInPerson::Format("identity".into())));
        let document = r#"{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"t"},"claims":[{"path":["t","x"]}]}"#;
        let second = document.replace(r#""a""#, r#""b""#);
        let parse = |text: String| Query::parse(text.as_bytes()).unwrap();
        let twice = parse(format!(r#"{{"credentials":[{document},{second}]}}"#));
        assert_eq!(by_position(&twice), Err(NotInPerson::Twice("t".into())));
        let bare = parse(r#"{"credentials":[{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"t"}}]}"#.into());
        assert_eq!(by_position(&bare), Err(NotInPerson::NoClaims("a".into())));
        let second = second.replace(r#""doctype_value":"t""#, r#""doctype_value":"u""#);
        let sets = parse(format!(
            r#"{{"credentials":[{document},{second}],"credential_sets":[{{"options":[["b"],["a"]]}}]}}"#
        ));
        let asked = by_position(&sets).unwrap();
        assert_eq!(asked.credential_sets()[0].options, [["document-2"], ["document-1"]]);
    }
}
