//! `amparo-issuer offer`.

use super::{Failure, Report};
use crate::claims::{self, ClaimSet};
use crate::configuration::Format;
use crate::desk::{Grant, Issuer, Link, LinkScheme, Order};
use crate::issuing;
use schemas::Seconds;
use schemas::credential_type;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// `offer --data DIR --type TYPE --claims FILE|- [--valid 365d] [--count 30]`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo-issuer offer --data ./issuer --type identity --claims claims.json
  amparo-issuer offer --data ./issuer --type identity --format sd-jwt,mdoc --claims claims.json
  amparo-issuer offer --data ./issuer --type identity --claims claims.json --by-reference
  echo '{\"given_name\": \"Ana\", \"family_name\": \"Vega\", \"birth_date\": \"1990-05-17\", \"nationalities\": [\"HN\"]}' |
    amparo-issuer offer --data ./issuer --type identity --claims - --valid 180d --count 10 --json

Show the link as a QR code, and say the transaction code in person. Keep the handle: it revokes, and is kept nowhere else.")]
pub(super) struct Arguments {
    /// The issuer's directory.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The credential type, as `types` lists them.
    #[arg(long = "type", value_name = "TYPE")]
    type_id: String,
    /// In which format; give it twice, or both with a comma, to offer both at once.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sd-jwt")]
    format: Vec<Format>,
    /// A JSON file with the claims, or - for standard input.
    #[arg(long, value_name = "FILE")]
    claims: PathBuf,
    /// How long the credential is valid; it ends at the next midnight UTC after that.
    #[arg(long, default_value = "365d", value_name = "TIME")]
    valid: Seconds,
    /// How many copies the wallet may have, each to be shown once.
    #[arg(long, default_value_t = crate::metadata::BATCH_SIZE)]
    count: u32,
    /// How the wallet gets in: with the code typed in the wallet, or on this issuer's own page.
    #[arg(long, value_enum, default_value = "pre-authorized")]
    grant: Grant,
    /// The link refers to the offer instead of holding it, for a small QR code: the wallet fetches it from `serve`.
    #[arg(long)]
    by_reference: bool,
    /// How the link begins: haip-vci is for wallets of that profile.
    #[arg(long, value_enum, default_value = "openid-credential-offer")]
    scheme: LinkScheme,
    /// How long the offer waits for the wallet; at most 24h.
    #[arg(long, default_value = "10m", value_name = "TIME")]
    redeem_within: Seconds,
    /// Somebody approves later, with `approve`: the wallet asks again until then.
    #[arg(long)]
    deferred: bool,
    /// How long they may take; at most 30d.
    #[arg(long, default_value = "7d", value_name = "TIME", requires = "deferred")]
    decide_within: Seconds,
    /// The wallet gets no new copies by showing an old one: it has to come back to the desk.
    #[arg(long)]
    no_refill: bool,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Option<Report>, Failure> {
        let known = credential_type::by_id(&self.type_id).ok_or_else(|| unknown_type(&self.type_id))?;
        let issuer = Issuer::open(&self.data)?;
        let bytes = read_claims(&self.claims)?;
        let claims = ClaimSet::parse(known, &bytes, issuing::date(issuer.now()))?;
        let Self { format: formats, valid, count, grant, redeem_within, by_reference, scheme, .. } = self;
        let decision_time = self.deferred.then_some(self.decide_within);
        let refill = !self.no_refill;
        let link = Link { scheme, by_reference };
        let order = Order { claims, formats, valid, count, grant, link, redeem_within, decision_time, refill };
        let offered = issuer.offer(&order)?;
        let (handle, tx_code) = (offered.handle.as_str(), offered.tx_code.as_str());
        let mut report = Report {
            json: json!({
                "handle": handle, "credential_offer_uri": offered.link.as_str(), "tx_code": tx_code,
                "expires_at": offered.expires_at.to_string(),
                "credential_configuration_ids": offered.configuration_ids,
            }),
            text: format!(
                "The offer waits until {}.\n\nFor the wallet, as a link or a QR code:\n{}\n\nFor the person, not together \
                 with the link: the transaction code {tx_code}\n\nFor you, to revoke it later, kept nowhere else: the \
                 handle {handle}",
                offered.expires_at,
                offered.link.as_str(),
            ),
        };
        if let Some(reference) = offered.reference {
            let approve = format!("\n\nIt waits for approval as {reference}: amparo-issuer approve --handle {handle}");
            report.text.push_str(&approve);
            if let Some(members) = report.json.as_object_mut() {
                members.insert("reference".to_owned(), reference.into());
            }
        }
        Ok(Some(report))
    }
}

fn unknown_type(given: &str) -> Failure {
    let known: Vec<_> = credential_type::ALL.iter().map(|t| t.id).collect();
    Failure::usage(
        "unknown_type",
        format!("there is no credential type {given:?}"),
        format!("The types are: {}.", known.join(", ")),
    )
}

/// Reads at most one byte more than claims may have; what is too long is told by the check.
fn read_claims(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    let limit = claims::MAX_BYTES as u64 + 1;
    let read = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::usage(
            "claims_file",
            format!("the claims file {} cannot be read: {error}", path.display()),
            "Give a JSON file, or --claims - for standard input.",
        )),
    }
}
