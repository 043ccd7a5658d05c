//! What an issuer offers, and what came.

use super::claims::listed;
use super::holdings::kind;
use credentials::trust::Trust;
use wallet_core::display::Shown;
use wallet_core::issuance::{Authorization, Deferred, DeferredId, Offered, Summary, SummaryEntry, TxCodeWanted};
use wallet_core::words::Words;

/// What an issuer says that it offers.
pub(crate) fn offered(offered: &Offered, met_before: bool) -> String {
    let types: Vec<String> = offered.types().iter().map(ToString::to_string).collect();
    let who = match (offered.vouched_by(), offered.issuer_name()) {
        (Some(name), _) => format!("{} ({name}; one of your trust anchors vouches for it)", offered.issuer()),
        (None, Some(name)) => format!("{} (by its own word: {name})", offered.issuer()),
        (None, None) => offered.issuer().to_string(),
    };
    let met = if met_before {
        "You have a credential of a known issuer from this address."
    } else {
        "You have nothing from this address yet."
    };
    format!("{who} offers: {}.\n{met}", types.join(", "))
}

/// A provider vouches for this wallet now.
pub(crate) fn attested(provider: Option<&Shown>, wallet_name: &Shown) -> String {
    let provider = provider.map(ToString::to_string).unwrap_or_default();
    format!(
        "{provider} vouches for this wallet, as one of those called {wallet_name}. Issuers are shown that only where they demand it."
    )
}

/// The provider was left.
pub(crate) const fn left_provider(left: bool) -> &'static str {
    if left { "Nobody vouches for this wallet any more." } else { "Nobody vouched for this wallet." }
}

/// Which code is asked for.
pub(crate) fn tx_code(wanted: &TxCodeWanted) -> String {
    let length = wanted.length.map(|length| format!(" of {length} characters")).unwrap_or_default();
    let described = wanted.description.as_ref().map(|text| format!(" (the issuer says: {text})")).unwrap_or_default();
    format!("The code{length} that the issuer gave you{described}")
}

/// Where the person has to go.
pub(crate) fn page(authorization: &Authorization, paste: bool) -> String {
    let back = if paste {
        "Then copy the address at which your browser ends, even if it shows no page, and paste it here:"
    } else {
        "It leads back here. If your browser is on another device, run this again with --paste."
    };
    let (server, url) = (authorization.server(), Shown::address(authorization.url()));
    format!("Open this page of {server} in your own browser, and give it the code that you were given:\n{url}\n{back}")
}

/// What is promised still, and what will not come.
pub(crate) fn waiting(promises: &[(DeferredId, Deferred)], declined: &[Shown]) -> String {
    let mut lines: Vec<String> =
        declined.iter().map(|label| format!("The issuer will not issue {label}, or has issued it before.")).collect();
    lines.extend(promises.iter().map(|(_, waiting)| promise(waiting)));
    if promises.is_empty() {
        lines.push("No issuer has promised anything.".to_owned());
    } else {
        lines.push("Ask again with `amparo receive --resume`.".to_owned());
    }
    lines.join("\n")
}

/// What an issuer promised.
pub(super) fn promise(promise: &Deferred) -> String {
    let types: Vec<String> = promise.types().iter().map(ToString::to_string).collect();
    format!("{} decides later on: {}, asked at {}.", promise.issuer(), types.join(", "), promise.asked_at())
}

/// What came from an issuer.
pub(crate) fn arrived(summary: &Summary, words: &Words) -> String {
    let who = &summary.issuer_name;
    let first = match summary.trust {
        Trust::Known => format!("{who} ({}) is known: one of your trust anchors vouches for it.", summary.issuer),
        _ => format!(
            "{who} ({}) is not known: the signature is valid, and no trust anchor of yours vouches for who made it.",
            summary.issuer
        ),
    };
    let rest = summary.credentials.iter().map(|entry| arrived_entry(entry, words));
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n")
}

fn arrived_entry(entry: &SummaryEntry, words: &Words) -> String {
    let about = entry.subject.as_ref().map(|initials| format!(" about {initials}")).unwrap_or_default();
    let other = if entry.other_subject { " Another name than in what you already hold: is it about you?" } else { "" };
    let until = entry.expires_at.map(|end| format!(", valid until {end}")).unwrap_or_default();
    let copies = if entry.copies == 1 { "1 copy".to_owned() } else { format!("{} copies", entry.copies) };
    let format = kind(entry.format);
    let (label, claims) = (words.type_name(&entry.type_id, &entry.label), listed(&entry.type_id, &entry.claims, words));
    format!("{label}{format}{about}, {copies}{until}. In it: {claims}.{other}")
}
