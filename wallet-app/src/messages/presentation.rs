//! What a verifier asks for, and what it is shown.

use super::claims::{listed, what};
use credentials::trust::Trust;
use schemas::ClaimPath;
use url::Url;
use wallet_core::display::Shown;
use wallet_core::history::Disclosed;
use wallet_core::presentation::{Asker, Concern, OfferedCredential, OfferedPath, Part, Receipt, RegisteredAs, Terms};
use wallet_core::words::Words;

/// Who asks, what for, and what would be shown, with what to be wary of; then what else could be shown.
pub(crate) fn asked_for(
    asker: &Asker,
    credentials: &[OfferedCredential],
    others: &[OfferedCredential],
    words: &Words,
) -> String {
    let mut lines = vec![who_asks(asker)];
    lines.extend(registrations(asker));
    if let Some(proposal) = &asker.proposal {
        let purposes: Vec<String> = proposal.purposes.iter().map(ToString::to_string).collect();
        let contact =
            proposal.contact.as_ref().map(|contact| format!(", to be reached at {contact}")).unwrap_or_default();
        lines.push(format!(
            "Purpose: {}. {}{contact} would keep it at most {}.",
            purposes.join(", "),
            proposal.controller,
            proposal.retention
        ));
        if !proposal.onward.is_empty() {
            let onward: Vec<String> = proposal.onward.iter().map(ToString::to_string).collect();
            lines.push(format!("It would be passed on to: {}.", onward.join(", ")));
        }
    } else {
        lines.push("No purpose and no end are named.".to_owned());
    }
    for credential in credentials {
        lines.push(format!("{} from {}:", called(credential, words), credential.issuer_name));
        lines.extend(claims_of(credential, words));
    }
    for other in others {
        let OfferedCredential { issuer_name, id, .. } = other;
        let label = called(other, words);
        lines.push(match other.part {
            Part::Optional => format!("Asked for, but not required: {label} from {issuer_name}:"),
            Part::Besides => format!("Besides it takes {label} from {issuer_name} (--credential {id}):"),
            Part::Shown | Part::Instead => {
                format!("Instead you could show {label} from {issuer_name} (--credential {id}):")
            }
        });
        lines.extend(claims_of(other, words));
    }
    lines.join("\n")
}

fn called(credential: &OfferedCredential, words: &Words) -> Shown {
    words.type_name(&credential.type_id, &credential.label)
}

fn claims_of(credential: &OfferedCredential, words: &Words) -> Vec<String> {
    if credential.paths.is_empty() {
        return vec!["  only that you hold it".to_owned()];
    }
    let kept = |shown: &OfferedPath| if shown.to_be_kept { "  (it says that it keeps it)" } else { "" };
    let line = |shown: &OfferedPath| {
        let name = words.claim(&credential.type_id, &shown.path);
        format!("  {name}{}{}", kept(shown), shown.concern.map_or("", wary))
    };
    credential.paths.iter().map(line).collect()
}

/// The question about something that is asked for and not required.
pub(crate) fn optional(other: &OfferedCredential, words: &Words) -> String {
    let paths: Vec<ClaimPath> = other.paths.iter().map(|shown| shown.path.clone()).collect();
    let (claims, label) = (listed(&other.type_id, &paths, words), called(other, words));
    format!("{claims} of {label} is asked for, but not required. Show it too?")
}

fn who_asks(asker: &Asker) -> String {
    let whereto = asker.host.as_ref().map(|host| format!(" The answer goes to {host}.")).unwrap_or_default();
    match asker.trust {
        _ if !asker.signed => format!(
            "Nobody vouches for this verifier: nobody signed the request, so that nobody knows who made it. The answer goes to {}, whoever that is.",
            asker.name
        ),
        Trust::Known => format!("{} asks, and one of your trust anchors vouches for it.{whereto}", asker.name),
        _ => format!("Somebody asks who is not known and calls itself {}.{whereto}", asker.name),
    }
}

/// What registrars say of the verifier, where this wallet trusts any.
fn registrations(asker: &Asker) -> Vec<String> {
    let Some(all) = &asker.registered else { return Vec::new() };
    if all.is_empty() {
        return vec!["It is registered with nobody whom you trust for that.".to_owned()];
    }
    let line = |registered: &RegisteredAs| {
        let purposes: Vec<String> = registered.purposes.iter().map(ToString::to_string).collect();
        let (registrar, name) = (&registered.registrar, &registered.name);
        let reached =
            registered.contact.as_ref().map(|contact| format!(" It is reached at {contact}.")).unwrap_or_default();
        let watched = registered.authority.as_ref().map(|authority| format!(" {authority} watches over it."));
        format!(
            "{registrar} has registered it as {name}, for {}, until {}.{reached}{}",
            if purposes.is_empty() { "no purpose that is known".to_owned() } else { purposes.join(", ") },
            registered.ends_at,
            watched.unwrap_or_default()
        )
    };
    let mut lines: Vec<String> = all.iter().map(line).collect();
    if asker.proposal.is_none() {
        lines.push(
            "It is registered for a purpose, and names none here: ask what for before you show anything.".to_owned(),
        );
    }
    lines
}

const fn wary(concern: Concern) -> &'static str {
    match concern {
        Concern::ComesAlong => "  (not asked for; it cannot be separated from the rest)",
        Concern::Portrait => "  (your portrait)",
        Concern::BeyondPurpose => "  (the purpose does not need it)",
        Concern::PortraitBeyondPurpose => "  (your portrait, which the purpose does not need: it is not shown)",
        Concern::Unexplained => "  (without a reason: it is not shown)",
        Concern::NoPurpose => "  (it names no purpose)",
        Concern::BeyondRegistration => "  (it is not registered to ask for this: it is not shown)",
    }
}

/// The question about claims beyond the purpose.
pub(crate) fn beyond_purpose(claims: &[Shown]) -> String {
    format!("The purpose does not need {}. Show it all the same?", joined(claims))
}

/// The question about claims for which a registered verifier names no purpose.
pub(crate) fn no_purpose(claims: &[Shown]) -> String {
    format!("The verifier names no purpose for {}. Show it all the same?", joined(claims))
}

/// The question about claims that come along.
pub(crate) fn comes_along(claims: &[Shown]) -> String {
    format!("{} cannot be separated from the rest. Show it too?", joined(claims))
}

fn joined(claims: &[Shown]) -> String {
    claims.iter().map(Shown::as_str).collect::<Vec<_>>().join(", ")
}

/// What will be shown, and on which terms, before the last yes.
pub(crate) fn to_be_shown(
    asker: &Asker,
    disclosed: &[Disclosed],
    terms: Option<&Terms>,
    narrowed: bool,
    words: &Words,
) -> String {
    let less = if narrowed { format!("\n{LESS}") } else { String::new() };
    format!("{} would see {}.{less}\n{}", asker.name, what(disclosed, words), on_terms(terms))
}

/// Said of every narrowed answer, before it is sent.
pub(crate) const LESS: &str =
    "That is less than it asks for, and it may turn the answer down; a copy is used up all the same.";

/// What was shown, and on which terms.
pub(crate) fn sent(receipt: &Receipt, redirect: Option<&Url>, words: &Words) -> String {
    let mut text = format!(
        "{} was shown {}.\n{}",
        receipt.verifier,
        what(&receipt.disclosed, words),
        on_terms(receipt.consent.as_ref())
    );
    if let Some(address) = redirect {
        text.push_str(&format!("\nIt wants you to go on at {}", Shown::text(address.as_str())));
    }
    text
}

/// Whether the browser is to be opened there: the host first, which is what the person can judge.
pub(crate) fn open_it(address: &Url) -> String {
    format!("Open that page of {} in your browser now?", Shown::host(address))
}

/// What became of it.
pub(crate) fn goes_on(address: &Url, opened: bool) -> String {
    if opened {
        "It goes on in your browser.".to_owned()
    } else {
        format!("You can go on at {}", Shown::address(address))
    }
}

fn on_terms(terms: Option<&Terms>) -> String {
    match terms {
        Some(terms) => {
            let purposes: Vec<String> = terms.purposes.iter().map(ToString::to_string).collect();
            format!(
                "Your consent, for {}, ends at {}; it may be kept for {}.",
                purposes.join(", "),
                terms.ends_at,
                terms.retention
            )
        }
        None => "The verifier asks for no consent, so none is given and none ends.".to_owned(),
    }
}

/// The question whether to go on with somebody who is not known.
pub(crate) const fn not_known_still(asker: &Asker) -> &'static str {
    if asker.signed { NOT_KNOWN_STILL } else { UNSIGNED_STILL }
}

const NOT_KNOWN_STILL: &str = "Nobody you trust vouches for this verifier. Go on all the same?";
const UNSIGNED_STILL: &str = "Nobody signed this request, and nobody vouches for this verifier. Go on all the same?";

/// A refusal that nobody was told of.
pub(crate) fn not_told(asker: &Asker) -> String {
    format!("Nothing was sent to {}: nobody signed the request, so nobody is told anything.", asker.name)
}

/// A refusal was sent.
pub(crate) fn refused(asker: &Asker) -> String {
    format!("{} was told no, in the words of a wallet that holds nothing.", asker.name)
}
