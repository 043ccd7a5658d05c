//! Which claims a purpose can need, and for how long: what goes beyond is over-asking.

use super::grant::Caps;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, PathElement, Seconds};

/// The claims of our credential types that a purpose can need, by their name at the top level.
///
/// A judgement, kept here in one place: `docs/checks.md` row 47.
const fn needed(purpose: Purpose) -> &'static [&'static str] {
    match purpose {
        // "Older than some age, and nothing else": the derived claims say so, the date of birth says more.
        Purpose::AgeCheck => &[],
        // What a travel document shows. No address, no way to reach the person, nothing that another organisation attests.
        Purpose::BorderEntry => &[
            "given_name",
            "family_name",
            "birth_date",
            "birth_place",
            "nationalities",
            "sex",
            "picture",
            "personal_number",
            "height",
            "eye_color",
            "document_number",
            "issuing_authority",
            "issuing_country",
        ],
        // Whom to help, in which language, and who sent the person. No portrait, no documents, no nationality.
        Purpose::SupportService => &[
            "given_name",
            "family_name",
            "birth_date",
            "languages",
            "email",
            "phone_number",
            "attested_by",
            "category",
            "services",
            "valid_until",
            "case_reference",
            "contact",
        ],
    }
}

/// How long a consent for `purpose` may last, and how long what was received may be kept.
pub const fn caps(purpose: Purpose) -> Caps {
    match purpose {
        Purpose::AgeCheck => Caps { lasting: Seconds::DAY, retention: Seconds::DAY },
        Purpose::BorderEntry => Caps { lasting: Seconds::DAY.times(30), retention: Seconds::DAY.times(30) },
        Purpose::SupportService => Caps { lasting: Seconds::DAY.times(90), retention: Seconds::DAY.times(90) },
    }
}

/// Whether `purpose` can need the claim at `path`. A claim that we do not know fits no purpose.
pub fn fits(purpose: Purpose, path: &ClaimPath) -> bool {
    match path.elements().first() {
        Some(PathElement::Name(name)) => is_age_over(name) || needed(purpose).contains(&name.as_str()),
        _ => false,
    }
}

/// Those of `paths` that none of the purposes can need: the holder is warned of them, or refuses.
///
/// # Source
/// OpenID4VP 1.0 §15.4.2 "Strictly Necessary Claims"; which they are is our judgement.
pub fn over_asking(purposes: &[Purpose], paths: &[ClaimPath]) -> Vec<ClaimPath> {
    paths.iter().filter(|path| !purposes.iter().any(|purpose| fits(*purpose, path))).cloned().collect()
}

/// `age_over_18`, `age_over_21`, …: yes or no, and nothing else.
fn is_age_over(name: &str) -> bool {
    name.strip_prefix("age_over_").is_some_and(|age| age.len() == 2 && age.bytes().all(|b| b.is_ascii_digit()))
}
