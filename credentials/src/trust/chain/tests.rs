//! A chain without an anchor is held to everything by us, whichever of its faults path validation would have named.

use super::*;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};

const USAGE: Usage = Usage::CredentialIssuing;

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(path_length: Option<u8>) -> CertificateParams {
    let mut params = params("Authority");
    params.is_ca = IsCa::Ca(path_length.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    params
}

fn leaf() -> CertificateParams {
    let mut params = params("Leaf");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(USAGE.oid().to_vec())];
    params
}

/// What comes of these certificates, the leaf first; the last is made by somebody who is not among them.
fn checked_at(certificates: &[CertificateParams], usage: Usage, now: Timestamp) -> Result<(), ChainError> {
    let mut issuer = Issuer::new(params("Nobody we know"), KeyPair::generate().unwrap());
    let mut ders = Vec::new();
    for (place, params) in certificates.iter().enumerate().rev() {
        let (mut params, key) = (params.clone(), KeyPair::generate().unwrap());
        params.distinguished_name.push(DnType::OrganizationName, format!("{place} from the leaf"));
        ders.insert(0, params.signed_by(&key, &issuer).unwrap().der().to_vec());
        issuer = Issuer::new(params, key);
    }
    let chain = CertificateChain::from_der(ders).unwrap();
    let facts: Vec<Facts> = chain.iter().map(|der| Facts::read(der).unwrap()).collect();
    Path { ders: &chain.0.ders, algorithms: SignatureAlgorithms::ES256, usage, now }.check_without_anchor(&facts)
}

fn checked(certificates: &[CertificateParams]) -> Result<(), ChainError> {
    checked_at(certificates, USAGE, crate::testing::NOW)
}

#[test]
fn attack_11_without_an_anchor_the_last_certificate_is_held_to_its_time_to_the_second() {
    let mut last = authority(None);
    last.not_before = rcgen::date_time_ymd(2026, 1, 1);
    last.not_after = rcgen::date_time_ymd(2028, 1, 1);
    let [begins, ends]: [Timestamp; 2] = ["2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z"].map(|at| at.parse().unwrap());
    let second = schemas::Seconds::new(1);
    for (now, expected) in [
        (begins.minus(second), Err(ChainError::NotYetValid)),
        (begins, Ok(())),
        (ends, Ok(())),
        (ends.plus(second), Err(ChainError::Expired)),
    ] {
        assert_eq!(checked_at(&[leaf(), last.clone()], USAGE, now), expected);
    }
}

#[test]
fn attack_11_without_an_anchor_the_last_certificate_is_held_to_what_it_is_for() {
    assert_eq!(checked(&[leaf()]), Ok(()));
    assert_eq!(checked(&[leaf(), authority(Some(0))]), Ok(()));
    assert_eq!(checked(&[leaf(), authority(Some(0)), authority(Some(1))]), Ok(()));
    assert_eq!(checked(&[leaf(), authority(Some(0)), authority(Some(0))]), Err(ChainError::PathLength));
    // An authority where the leaf stands, and none where one should.
    let mut authority_as_leaf = leaf();
    authority_as_leaf.is_ca = authority(None).is_ca;
    assert_eq!(checked(&[authority_as_leaf]), Err(ChainError::Authority));
    assert_eq!(checked(&[leaf(), params("No authority")]), Err(ChainError::Authority));
    let mut elsewhere = authority(None);
    elsewhere.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(Usage::Verifier.oid().to_vec())];
    assert_eq!(checked(&[leaf(), elsewhere]), Err(ChainError::WrongUsage));
    // Where a leaf must name its usage, the last of a chain of one must; an authority need not.
    let now = crate::testing::NOW;
    let mut status = leaf();
    status.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(Usage::StatusSigning.oid().to_vec())];
    assert_eq!(checked_at(&[params("Leaf")], Usage::StatusSigning, now), Err(ChainError::WrongUsage));
    assert_eq!(checked_at(&[status, authority(None)], Usage::StatusSigning, now), Ok(()));
}
