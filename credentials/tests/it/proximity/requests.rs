//! What a reader may ask, and who it says it is.

use crate::at;
use crate::mdoc::world::{edited, items, members, transcript, within};
use crate::world::{Authority, NOW, WORLD, authority_params, key, leaf_params};
use credentials::cbor::{FieldError, Value};
use credentials::cose::CoseError;
use credentials::mdoc::SessionTranscript;
use credentials::proximity::{
    DocumentRequest, IntentToRetain, Reader, RequestError, RequestIn, RequestedDocument, write_request,
};
use credentials::signer::SoftwareKey;
use credentials::trust::{CertificateChain, ChainError, ChainPolicy, Trust, TrustAnchors, Usage};

const TYPE: &str = "eu.europa.ec.eudi.pid.1";

fn ask() -> Vec<DocumentRequest> {
    vec![
        DocumentRequest::new(TYPE).with(TYPE, "age_over_18", IntentToRetain::No).with(
            TYPE,
            "family_name",
            IntentToRetain::Yes,
        ),
        DocumentRequest::new("org.iso.18013.5.1.mDL").with("org.iso.18013.5.1", "portrait", IntentToRetain::No),
    ]
}

struct Desk {
    anchors: TrustAnchors,
    chain: CertificateChain,
    key: SoftwareKey,
}

fn desk(usage: Usage) -> Desk {
    let root = Authority::root(authority_params("Readers' root", None));
    let key = key(41);
    let leaf = root.leaf(&leaf_params("Border post", usage), credentials::signer::Signer::public_key(&key));
    Desk {
        anchors: TrustAnchors::from_pem(root.pem.as_bytes()).unwrap(),
        chain: CertificateChain::from_der([leaf]).unwrap(),
        key,
    }
}

impl Desk {
    fn request(&self) -> Vec<u8> {
        write_request(&ask(), &transcript(), Some((&self.chain, &self.key))).unwrap()
    }

    fn seen(&self, bytes: &[u8], transcript: &SessionTranscript) -> Result<Vec<RequestedDocument>, RequestError> {
        RequestIn::parse(bytes)?.authenticate(&ChainPolicy::known_only(&self.anchors), transcript, NOW)
    }
}

#[test]
fn who_asks_for_what_and_keeps_it_is_seen() {
    for usage in [Usage::Verifier, Usage::MdocReader] {
        let desk = desk(usage);
        let seen = desk.seen(&desk.request(), &transcript()).unwrap();
        assert_eq!(seen.iter().map(|document| document.request.clone()).collect::<Vec<_>>(), ask());
        for document in &seen {
            let Reader::Signed(chain) = &document.reader else { panic!() };
            assert_eq!((chain.subject(), chain.trust()), ("Border post", Trust::Known));
        }
    }
    let silent = write_request(&ask(), &transcript(), None).unwrap();
    let seen = desk(Usage::Verifier).seen(&silent, &transcript()).unwrap();
    assert!(seen.iter().all(|document| document.reader == Reader::Anonymous));
}

#[test]
fn attack_40_a_reader_that_is_not_who_it_says_is_refused() {
    let desk = desk(Usage::Verifier);
    let elsewhere = SessionTranscript::openid4vp("a", "b", None, "c");
    let signature = RequestError::ReaderAuth(CoseError::Signature);
    // Its request in another session.
    assert_eq!(desk.seen(&desk.request(), &elsewhere), Err(signature));
    // More asked for than it signed.
    let more = edited(&desk.request(), |request| {
        within(at!(request, "docRequests", 0, "itemsRequest"), |items| {
            members(at!(items, "nameSpaces", TYPE)).push(("portrait".into(), true.into()));
        });
    });
    assert_eq!(desk.seen(&more, &transcript()), Err(signature));
    // It said that it would not keep what it keeps.
    let kept = edited(&desk.request(), |request| {
        within(at!(request, "docRequests", 0, "itemsRequest"), |items| {
            *at!(items, "nameSpaces", TYPE, "family_name") = false.into()
        });
    });
    assert_eq!(desk.seen(&kept, &transcript()), Err(signature));
    // Somebody else's certificate.
    let stolen = write_request(&ask(), &transcript(), Some((&desk.chain, &key(42)))).unwrap();
    assert_eq!(desk.seen(&stolen, &transcript()), Err(signature));
    // No certificate; certificates for something else; of nobody known.
    let bare = edited(&desk.request(), |request| {
        members(&mut items(at!(request, "docRequests", 1, "readerAuth"))[1]).clear();
    });
    assert_eq!(desk.seen(&bare, &transcript()), Err(RequestError::Chain(ChainError::Empty)));
    for usage in [Usage::CredentialIssuing, Usage::MdocIssuing, Usage::StatusSigning] {
        let other = self::desk(usage);
        let seen = other.seen(&other.request(), &transcript());
        assert_eq!(seen, Err(RequestError::Chain(ChainError::WrongUsage)), "{usage:?}");
    }
    let stranger = RequestIn::parse(&desk.request()).unwrap().authenticate(&WORLD.policy(), &transcript(), NOW);
    assert_eq!(stranger, Err(RequestError::Chain(ChainError::UnknownIssuer)));
}

#[test]
fn attack_45_requests_are_bounded_and_of_the_form() {
    let desk = desk(Usage::Verifier);
    let refused = |edit: &dyn Fn(&mut Value)| RequestIn::parse(&edited(&desk.request(), edit)).map(|_| ()).unwrap_err();
    let malformed = |what| RequestError::Form(FieldError::Malformed(what));
    assert_eq!(refused(&|r| *at!(r, "version") = "2.0".into()), malformed("version"));
    assert_eq!(refused(&|r| items(at!(r, "docRequests")).clear()), RequestError::Count);
    let copies = |r: &mut Value, n: usize| {
        let documents = items(at!(r, "docRequests"));
        *documents = vec![documents[0].clone(); n];
    };
    assert_eq!(refused(&|r| copies(r, 9)), RequestError::Count);
    let ask = |r: &mut Value, edit: &dyn Fn(&mut Value)| {
        within(at!(r, "docRequests", 0, "itemsRequest"), |items| edit(items))
    };
    let crowd = Value::Map((0..256).map(|n| (format!("e{n}").into(), true.into())).collect());
    assert_eq!(refused(&|r| ask(r, &|i| *at!(i, "nameSpaces", TYPE) = crowd.clone())), RequestError::Count);
    assert_eq!(
        refused(&|r| ask(r, &|i| *at!(i, "nameSpaces", TYPE, "family_name") = 1.into())),
        malformed("nameSpaces")
    );
    assert_eq!(refused(&|r| ask(r, &|i| members(at!(i, "nameSpaces", TYPE)).clear())), malformed("nameSpaces"));
    assert_eq!(refused(&|r| ask(r, &|i| members(at!(i, "nameSpaces")).clear())), malformed("nameSpaces"));
    assert_eq!(refused(&|r| ask(r, &|i| *at!(i, "docType") = "".into())), malformed("nameSpaces"));
    assert_eq!(refused(&|r| *at!(r, "docRequests", 0, "itemsRequest") = Value::Map(vec![])), malformed("itemsRequest"));
    assert!(matches!(refused(&|r| *at!(r, "docRequests", 0, "readerAuth") = Value::Null), RequestError::ReaderAuth(_)));
    assert_eq!(write_request(&[], &transcript(), None), Err(RequestError::Count));
    assert_eq!(write_request(&[DocumentRequest::new(TYPE)], &transcript(), None), Err(RequestError::Count));
}
