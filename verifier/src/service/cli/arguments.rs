//! What the command line takes.

use super::registrar;
use crate::guarded::Actor;
use crate::policy::{
    AcceptedFormat, ClientIdPrefix, ConsentMode, IssuerAlgorithms, LinkScheme, ResponseMode, UnknownStatus,
};
use crate::preset::Preset;
use crate::service::config::{VerifierName, VerifierUrl};
use crate::service::go_on::GoOn;
use clap::{Args, Parser, Subcommand, ValueEnum};
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::path::PathBuf;

/// Ask for a presentation, check it, and keep it only as long as the holder allowed.
#[derive(Debug, Parser)]
#[command(name = "amparo-verifier", version, after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Print exactly one JSON object on stdout.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// How the log on stderr is written.
    #[arg(long, global = true, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXAMPLE: &str = "\
Example, on one machine:
  amparo-verifier init --data desk --url http://127.0.0.1:8090 --name \"Border post 4\"
  amparo-verifier trust --data desk --anchor issuer/trust-anchor.pem
  amparo-verifier serve --data desk --listen 127.0.0.1:8090 &
  amparo-verifier request --data desk --preset border-identity --purpose border-entry --retention 15m
  amparo-verifier result --data desk TRANSACTION --wait 60s

Exit codes: 0 done, 1 internal fault or a clock set back, 2 usage, 4 the presentation was refused, 5 consent missing or ended,
6 network, 7 storage.";

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a verifier: its key and certificates, an empty store.
    #[command(
        after_help = "Example:\n  amparo-verifier init --data desk --url https://desk.example --name \"Border post 4\""
    )]
    Init(Init),
    /// Say whom to believe: an issuer by its trust anchor or by the keys that it publishes, or all that a signed trust list names.
    #[command(after_help = super::trust::EXAMPLE)]
    Trust(super::trust::Trust),
    /// Serve requests and take answers, until stopped.
    #[command(after_help = "Example:\n  amparo-verifier serve --data desk --listen 127.0.0.1:8090")]
    Serve(Serve),
    /// Make a request, and print the link for the holder's wallet.
    #[command(
        after_help = "What the presets ask for, all of it required:\n  border-identity  of an identity: given_name, family_name, nationalities\n  age-over-18      of an identity: age_over_18\n  support-service  of an attestation: attested_by, services\nAnything else is asked for with --dcql FILE, a query of OpenID4VP 1.0 §6.\n\nExample:\n  amparo-verifier request --data desk --preset age-over-18 --purpose age-check --retention 15m"
    )]
    Request(Request),
    /// Ask a holder who stands at the desk, with no network: reads the code that their device shows, and waits for the answer.
    #[command(
        after_help = "Presets and queries are those of `request`, for mobile documents. Nothing is fetched: see `sync`.\n\nExample:\n  amparo-verifier proximity --data desk --preset border-identity --purpose border-entry --retention 15m --code photograph.jpg\n  amparo-verifier proximity --data desk --preset age-over-18 --purpose age-check --retention 15m 'mdoc:…'"
    )]
    Proximity(Proximity),
    /// Show what came of a request. Each time it is opened is noted in the audit.
    #[command(after_help = "Example:\n  amparo-verifier result --data desk TRANSACTION --wait 30s")]
    Result(ResultOf),
    /// Destroy what was presented before its consent ends.
    #[command(after_help = "Example:\n  amparo-verifier forget --data desk TRANSACTION")]
    Forget(Forget),
    /// Show who opened what, when and for what: never a claim.
    #[command(after_help = "Example:\n  amparo-verifier audit --data desk")]
    Audit(Audit),
    /// Fetch every trust list, status list, type and issuer's key now, to have them where there is no network, and show how old they
    /// are.
    #[command(
        after_help = "A list that has ended says nothing good of a credential any more, and what it said against one still stands: see\n--unknown-status. `serve` fetches the same on its own schedule.\n\nExample:\n  amparo-verifier sync --data desk --aggregation https://registry.example/status\n  amparo-verifier sync --data desk --type-metadata https://registry.example/types/residence/1 --type-metadata permit.json\n  amparo-verifier sync --data desk --show"
    )]
    Sync(Sync),
    /// Make a new key and certificate for requests, under the same trust anchor.
    #[command(after_help = "Example:\n  amparo-verifier renew --data desk    (then restart serve)")]
    Renew(Data),
    /// Believe the clock again after it was ahead by mistake. What had ended by then stays destroyed.
    #[command(after_help = "Example:\n  amparo-verifier reset-clock --data desk")]
    ResetClock(Data),
    /// Register verifiers: say of them, in a token that they show with their requests, what they may ask for.
    #[command(
        after_help = "A wallet reads it if its holder trusts the registrar: amparo trust --registers-verifiers --anchor registrar/trust-anchor.pem\n\nExample:\n  amparo-verifier registrar init --data registrar --name \"Registry of verifiers\"\n  amparo-verifier registrar register --data registrar --client-id x509_hash:… --name \"Border post 4\" --purpose border-entry --preset border-identity --out registration.jwt\n  amparo-verifier serve --data desk --registration registration.jwt"
    )]
    Registrar(Registrar),
    /// Check a presentation in a file, without a network.
    #[command(
        after_help = "Example:\n  amparo-verifier verify --anchor issuer/trust-anchor.pem --status-list list.jwt --nonce N --audience A shown.txt\n  amparo-verifier verify --anchor issuer/trust-anchor.pem --transcript transcript.cbor response.cbor\n  amparo-verifier verify --trust-list trust-list.jwt --list-signer registry.pem --status-list list.jwt --paper photograph.jpg"
    )]
    Verify(Verify),
    /// Check a W3C credential of a registry in a file, without a network. It says nothing about who shows it.
    #[command(
        after_help = "FILE of --registry says what is accepted, and where the things lie that are never fetched (paths from its own folder):\n  {\"accepted\": [{\"type\": \"BirthRecord\", \"issuers\": [\"did:web:registry.example\"],\n                 \"contexts\": [\"https://www.w3.org/ns/credentials/v2\", \"https://registry.example/v1\"]}],\n   \"contexts\": {\"https://registry.example/v1\": \"registry-v1.jsonld\"},\n   \"did_documents\": {\"did:web:registry.example\": \"did.json\"}}\n\nExample:\n  amparo-verifier document --registry registry.json --status-list status.json birth.json"
    )]
    Document(Document),
}

/// Where the verifier's files are.
#[derive(Debug, Args)]
pub(super) struct Data {
    /// The verifier's folder.
    #[arg(long, value_name = "DIR")]
    pub(super) data: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    #[command(flatten)]
    pub(super) data: Data,
    /// Where wallets reach it: https, or plain http on this machine.
    #[arg(long, value_parser = VerifierUrl::parse)]
    pub(super) url: VerifierUrl,
    /// What it is called; people are shown this name.
    #[arg(long, value_parser = VerifierName::parse)]
    pub(super) name: VerifierName,
    /// How the controller of the data is reached.
    #[arg(long, value_parser = contact)]
    pub(super) contact: Option<String>,
    /// How it calls itself unless a request says otherwise; x509_san_dns needs a DNS name in the URL.
    #[arg(long, default_value = "x509_hash", value_name = "PREFIX")]
    pub(super) client_id: ClientIdPrefix,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) data: Data,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    pub(super) listen: String,
    /// Listen on other addresses than loopback, because the proxy that does TLS stands on another machine.
    #[arg(long)]
    pub(super) allow_remote_proxy: bool,
    /// What a registrar says of this verifier: shown with every signed request that has none of its own.
    #[arg(long, value_name = "FILE")]
    pub(super) registration: Option<PathBuf>,
}

/// What is asked, what for, and on which terms.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// A query by name: border-identity, age-over-18, support-service.
    #[arg(long, value_name = "NAME", conflicts_with = "dcql", required_unless_present = "dcql")]
    pub(super) preset: Option<Preset>,
    /// A query of your own: a file with a DCQL query; in person for mobile documents.
    #[arg(long, value_name = "FILE")]
    pub(super) dcql: Option<PathBuf>,
    /// What for: border-entry, age-check, support-service.
    #[arg(long, value_name = "CODE")]
    pub(super) purpose: Purpose,
    /// How long you would keep it: 15m, 24h, 30d.
    #[arg(long, value_name = "SPAN")]
    pub(super) retention: Seconds,
    /// Whether the holder must consent: required, offered, none.
    #[arg(long, default_value = "required", value_name = "MODE")]
    pub(super) consent: ConsentMode,
    /// What to do when the status of a credential cannot be told: refuse, accept.
    #[arg(long, default_value = "refuse", value_name = "POLICY")]
    pub(super) unknown_status: UnknownStatus,
}

#[derive(Debug, Args)]
pub(super) struct Request {
    #[command(flatten)]
    pub(super) data: Data,
    #[command(flatten)]
    pub(super) terms: Terms,
    /// In which format the preset takes a credential: any, sd-jwt, mdoc.
    #[arg(long, default_value = "any", value_name = "FORMAT", conflicts_with = "dcql")]
    pub(super) format: AcceptedFormat,
    /// How issuers may have signed SD-JWT VCs besides ES256: ES384, EdDSA, with commas.
    #[arg(long, default_value = "ES256", value_name = "NAMES")]
    pub(super) issuer_algorithms: IssuerAlgorithms,
    /// How the answer travels: direct_post.jwt (encrypted) or direct_post.
    #[arg(long, default_value = "direct_post.jwt", value_name = "MODE")]
    pub(super) response_mode: ResponseMode,
    /// Where the person's browser goes on when their wallet is on the same device; the result then opens only with the
    /// response_code that it comes back with.
    #[arg(long, value_name = "URL", value_parser = GoOn::parse)]
    pub(super) redirect: Option<GoOn>,
    /// How the verifier calls itself in this request: x509_hash, x509_san_dns; redirect_uri asks without a signature, and needs
    /// --consent none: the wallet then tells the person that nobody vouches for who asks.
    #[arg(long, value_name = "PREFIX")]
    pub(super) client_id: Option<ClientIdPrefix>,
    /// How the link begins: openid4vp, or haip-vp for wallets of that profile alone.
    #[arg(long, default_value = "openid4vp", value_name = "SCHEME")]
    pub(super) scheme: LinkScheme,
    /// What a registrar says of this verifier, shown with this request.
    #[arg(long, value_name = "FILE")]
    pub(super) registration: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Registrar {
    #[command(subcommand)]
    pub(super) command: registrar::Command,
}

#[derive(Debug, Args)]
pub(super) struct Proximity {
    #[command(flatten)]
    pub(super) data: Data,
    #[command(flatten)]
    pub(super) terms: Terms,
    /// Go to other machines too, where the code leads to one.
    #[arg(long, conflicts_with = "ble")]
    pub(super) other_machines: bool,
    /// Find the holder's device over Bluetooth, where this program was built with it (--features ble); never tried on the air.
    #[arg(long)]
    pub(super) ble: bool,
    /// Who asks, for the audit.
    #[arg(long, default_value = "desk", value_name = "NAME", value_parser = actor)]
    pub(super) actor: Actor,
    /// A picture of the code (PNG, JPEG), or its text in a file.
    #[arg(long, value_name = "FILE", conflicts_with = "engagement")]
    pub(super) code: Option<PathBuf>,
    /// The text of the code, which begins with mdoc: ; `-`, or nothing, reads it from stdin.
    #[arg(value_name = "ENGAGEMENT")]
    pub(super) engagement: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ResultOf {
    #[command(flatten)]
    pub(super) data: Data,
    /// As `request` printed it.
    pub(super) transaction: String,
    /// Wait so long for an answer.
    #[arg(long, value_name = "SPAN")]
    pub(super) wait: Option<Seconds>,
    /// The response_code with which the person's browser came back, where the request named a --redirect.
    #[arg(long, value_name = "CODE")]
    pub(super) response_code: Option<String>,
    /// Who looks, for the audit.
    #[arg(long, default_value = "desk", value_name = "NAME", value_parser = actor)]
    pub(super) actor: Actor,
}

#[derive(Debug, Args)]
pub(super) struct Forget {
    #[command(flatten)]
    pub(super) data: Data,
    /// As `request` printed it.
    pub(super) transaction: String,
    /// Who destroys it, for the audit.
    #[arg(long, default_value = "desk", value_name = "NAME", value_parser = actor)]
    pub(super) actor: Actor,
}

#[derive(Debug, Args)]
pub(super) struct Sync {
    #[command(flatten)]
    pub(super) data: Data,
    /// Where an issuer names all its status lists (`status_list_aggregation_endpoint` of its metadata). Remembered; may be repeated.
    #[arg(long, value_name = "URL", value_parser = VerifierUrl::parse)]
    pub(super) aggregation: Vec<VerifierUrl>,
    /// A type metadata document (SD-JWT VC §5): a file, or the URL that is the name of its type, which is remembered. Credentials
    /// of its type are held to it. May be repeated.
    #[arg(long, value_name = "FILE|URL")]
    pub(super) type_metadata: Vec<String>,
    /// Forget a type's document again, by its `vct` or its URL. May be repeated.
    #[arg(long, value_name = "VCT|URL")]
    pub(super) forget_type: Vec<String>,
    /// Fetch nothing, show what is at hand.
    #[arg(long, conflicts_with_all = ["aggregation", "type_metadata", "forget_type"])]
    pub(super) show: bool,
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(flatten)]
    pub(super) data: Data,
    /// Of one transaction only.
    pub(super) transaction: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// An issuer's trust anchor, in PEM form.
    #[arg(long, value_name = "FILE", required_unless_present = "trust_list")]
    pub(super) anchor: Vec<PathBuf>,
    /// A signed trust list, as fetched: believes whom it names. Which number was seen before is known to `trust` alone.
    #[arg(long, value_name = "FILE", requires = "list_signer")]
    pub(super) trust_list: Vec<PathBuf>,
    /// The anchor of who signs those lists, in PEM form.
    #[arg(long, value_name = "FILE", requires = "trust_list")]
    pub(super) list_signer: Option<PathBuf>,
    /// A Status List Token, as fetched.
    #[arg(long, value_name = "FILE")]
    pub(super) status_list: Vec<PathBuf>,
    /// The time to judge by; this machine's when absent.
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<Timestamp>,
    /// The nonce of the request; not looked at with --transcript.
    #[arg(long, required_unless_present_any = ["transcript", "paper"])]
    pub(super) nonce: Option<String>,
    /// The full client identifier of the verifier; not looked at with --transcript.
    #[arg(long, required_unless_present_any = ["transcript", "paper"])]
    pub(super) audience: Option<String>,
    /// A type metadata document; the presentation is held to it, if it is of its type. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(super) type_metadata: Vec<PathBuf>,
    /// Codes of a paper: photographs of some of them (PNG, JPEG), a film (GIF), a folder of such files in any order, or their
    /// texts, one a line. May be repeated; of several pictures some may show nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nonce", "audience", "transcript", "presentation"])]
    pub(super) paper: Vec<PathBuf>,
    /// What to do when the status of the credential cannot be told: refuse, accept.
    #[arg(long, default_value = "refuse", value_name = "POLICY")]
    pub(super) unknown_status: UnknownStatus,
    /// How the issuer may have signed an SD-JWT VC besides ES256: ES384, EdDSA, with commas.
    #[arg(long, default_value = "ES256", value_name = "NAMES")]
    pub(super) issuer_algorithms: IssuerAlgorithms,
    /// The SessionTranscript (CBOR) of a presentation that is a DeviceResponse: it stands for verifier, nonce and session.
    #[arg(long, value_name = "FILE")]
    pub(super) transcript: Option<PathBuf>,
    /// The presentation: an SD-JWT with key binding, as text; with --transcript a DeviceResponse, CBOR or that in base64url.
    /// `-` reads it from stdin.
    #[arg(value_name = "PRESENTATION-FILE", required_unless_present = "paper")]
    pub(super) presentation: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Document {
    /// What is accepted from whom, in JSON.
    #[arg(long, value_name = "FILE")]
    pub(super) registry: PathBuf,
    /// A Bitstring status list, as fetched. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(super) status_list: Vec<PathBuf>,
    /// What to do when the status of the credential cannot be told: refuse, accept.
    #[arg(long, default_value = "refuse", value_name = "POLICY")]
    pub(super) unknown_status: UnknownStatus,
    /// The time to judge by; this machine's when absent.
    #[arg(long, value_name = "TIME")]
    pub(super) now: Option<Timestamp>,
    /// The credential. `-` reads it from stdin.
    #[arg(value_name = "CREDENTIAL-FILE")]
    pub(super) credential: PathBuf,
}

pub(super) fn contact(text: &str) -> Result<String, &'static str> {
    let plain = (1..=128).contains(&text.chars().count()) && credentials::escape::escaped(text) == text;
    if plain { Ok(text.to_owned()) } else { Err("1 to 128 characters, and no line breaks or control characters") }
}

fn actor(text: &str) -> Result<Actor, &'static str> {
    Actor::parse(text).ok_or("1 to 64 characters, and no control characters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn consent_is_required_and_answers_are_encrypted_unless_said_otherwise() {
        let line = "amparo-verifier request --data d --preset age-over-18 --purpose age-check --retention 15m --json";
        let parsed = Arguments::try_parse_from(line.split(' ')).unwrap();
        let Command::Request(request) = parsed.command else { panic!() };
        assert!(parsed.json);
        assert_eq!(
            (request.terms.consent, request.response_mode),
            (ConsentMode::Required, ResponseMode::DirectPostJwt)
        );
        assert_eq!(request.terms.unknown_status, UnknownStatus::Refuse);
        for wrong in [
            "request --data d --purpose age-check --retention 15m",
            "request --data d --preset age-over-18 --dcql f --purpose age-check --retention 15m",
            "request --data d --preset age-over-18 --purpose everything --retention 15m",
            "request --data d --preset age-over-18 --purpose age-check --retention 15",
            "init --data d --url http://desk.example --name n",
        ] {
            let line = format!("amparo-verifier {wrong}");
            assert!(Arguments::try_parse_from(line.split(' ')).is_err(), "{wrong}");
        }
    }
}
