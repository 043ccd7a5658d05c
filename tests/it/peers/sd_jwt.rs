//! SD-JWT with key binding: PyPI `sd-jwt` 0.10.4 and npm `@sd-jwt/core` 0.19.0 issue, hold and verify; nested, recursive, in arrays, with decoys.

use super::authority::{Authority, key, now, private_jwk, public_jwk, rng};
use super::place::{ask_node, ask_python, node, python};
use credentials::algorithm::SignatureAlgorithms;
use credentials::key_binding::KeyBindingClaims;
use credentials::sd_jwt::{
    Expected, IssuanceDraft, SdJwtIn, SdJwtJsonIn, VerifyError, issue, verify_issued, verify_presented,
};
use credentials::signer::{Signer as _, SoftwareKey};
use credentials::trust::{CertificateChain, ChainPolicy, Usage};
use schemas::{ClaimPath, Timestamp};
use serde_json::{Map, Value, json};
use std::path::Path;

const TYPE: &str = "urn:amparo:identity:1";
const AUDIENCE: &str = "x509_san_dns:desk.example";
const NONCE: &str = "n-0S6_WzA2Mj";

enum Library {
    Python(&'static Path),
    Node,
}

impl Library {
    /// Those that could be installed.
    fn all() -> Vec<Self> {
        python().map(Self::Python).into_iter().chain(node().map(|_| Self::Node)).collect()
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Python(_) => "sd-jwt",
            Self::Node => "@sd-jwt/core",
        }
    }

    fn ask(&self, job: &Value) -> Value {
        match self {
            Self::Python(packages) => ask_python(packages, "formats.py", job),
            Self::Node => ask_node("sd_jwt.mjs", &[], job),
        }
    }

    fn text(&self, job: &Value, member: &str) -> String {
        let answer = self.ask(job);
        answer[member].as_str().unwrap_or_else(|| panic!("{}: {answer}", self.name())).to_owned()
    }
}

struct Parties {
    authority: Authority,
    issuer: SoftwareKey,
    chain: CertificateChain,
    x5c: Vec<String>,
    holder: SoftwareKey,
    now: Timestamp,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

impl Parties {
    fn new() -> Self {
        let (authority, issuer) = (Authority::new(), key(1));
        let (chain, x5c) = authority.certify(&issuer, Usage::CredentialIssuing);
        Self { authority, issuer, chain, x5c, holder: key(2), now: now() }
    }

    fn policy(&self) -> ChainPolicy<'_> {
        ChainPolicy::known_only(&self.authority.anchors)
    }

    fn expected(&self) -> Expected<'_> {
        Expected::new(self.policy(), AUDIENCE, NONCE, self.now.plus(schemas::Seconds::new(5)))
    }

    /// An address whose parts are kept apart within an address that is kept apart, and nationalities one by one.
    fn issued_by_us(&self) -> String {
        let draft = IssuanceDraft {
            vct: TYPE.into(),
            issuer: None,
            issued_at: self.now,
            not_before: None,
            expires_at: Timestamp::from_unix(self.now.unix() + 86_400),
            status: None,
            visible: object(json!({"region": "Cuscatlán"})),
            disclosable: object(json!({
                "given_name": "Inés", "family_name": "Peer", "age_over_18": true,
                "address": {"locality": "Suchitoto", "street": "Calle 1"}, "nationalities": ["SV", "MX", "GT"],
            })),
            nested: vec![
                ClaimPath::names(["address", "street"]),
                ClaimPath::names(["address", "locality"]),
                serde_json::from_value(json!(["nationalities", null])).unwrap(),
            ],
            decoys: true,
        };
        issue(&draft, &self.chain, self.holder.public_key(), &self.issuer, &mut rng(9)).unwrap()
    }

    fn presented_by_us(&self, issued: &str, paths: Value) -> String {
        let held = verify_issued(issued, &self.policy(), self.now).unwrap();
        let paths: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
        let claims = KeyBindingClaims::new(AUDIENCE, NONCE, self.now);
        held.select_exactly(&paths).unwrap().bind(&claims, &self.holder).unwrap()
    }

    fn verification(&self, presented: &str, nonce: &str) -> Value {
        json!({"do": "verify", "presented": presented, "issuer": public_jwk(&self.issuer), "audience": AUDIENCE, "nonce": nonce})
    }

    /// The same in the words of each library.
    fn issued_by(&self, library: &Library) -> String {
        self.issued_under(library, &private_jwk(&self.issuer), &self.x5c, "ES256")
    }

    /// The same under a key of another algorithm.
    fn issued_under(&self, library: &Library, issuer: &Value, x5c: &[String], alg: &str) -> String {
        let exp = self.now.unix() + 86_400;
        let registered = json!({"vct": TYPE, "iat": self.now.unix(), "exp": exp, "region": "Cuscatlán"});
        let header = json!({"typ": "dc+sd-jwt", "x5c": x5c});
        let mut claims = object(registered);
        let mut job =
            json!({"do": "issue", "issuer": issuer, "header": header, "holder": public_jwk(&self.holder), "alg": alg});
        match library {
            Library::Python(_) => {
                job["holder"] = private_jwk(&self.holder);
                claims.extend(object(json!({
                    "~given_name": "Inés", "~family_name": "Peer", "~age_over_18": true,
                    "~address": {"~locality": "Suchitoto", "~street": "Calle 1"},
                    "~nationalities": [{"~": "SV"}, {"~": "MX"}, {"~": "GT"}],
                })));
            }
            Library::Node => {
                claims.extend(object(json!({
                    "given_name": "Inés", "family_name": "Peer", "age_over_18": true,
                    "address": {"locality": "Suchitoto", "street": "Calle 1"}, "nationalities": ["SV", "MX", "GT"],
                })));
                job["frame"] = json!({
                    "_sd": ["given_name", "family_name", "age_over_18", "address", "nationalities"], "_sd_decoy": 3,
                    "address": {"_sd": ["locality", "street"], "_sd_decoy": 2}, "nationalities": {"_sd": [0, 1, 2], "_sd_decoy": 1},
                });
            }
        }
        job["claims"] = Value::Object(claims);
        library.text(&job, "issued")
    }

    fn presented_by(&self, library: &Library, issued: &str) -> String {
        let mut job = json!({
            "do": "present", "issued": issued, "holder": private_jwk(&self.holder), "audience": AUDIENCE, "nonce": NONCE,
        });
        match library {
            Library::Python(_) => {
                job["shown"] =
                    json!({"given_name": true, "address": {"locality": true}, "nationalities": [false, true, false]});
            }
            Library::Node => {
                job["frame"] = json!({"given_name": true, "address": {"locality": true}, "nationalities": {"1": true}});
            }
        }
        library.text(&job, "presented")
    }

    /// Our view of a presentation of name, town and one nationality.
    fn verify(&self, presented: &str) -> Result<(), VerifyError> {
        let seen = verify_presented(presented, &self.expected())?;
        assert_eq!(shown(&Value::Object(seen.claims().clone())), part());
        Ok(())
    }
}

/// What is shown in these tests.
fn part() -> Value {
    json!({"region": "Cuscatlán", "given_name": "Inés", "address": {"locality": "Suchitoto"}, "nationalities": ["MX"]})
}

fn shown(claims: &Value) -> Value {
    let names = ["region", "given_name", "family_name", "age_over_18", "address", "nationalities"];
    names.iter().filter_map(|name| Some(((*name).to_owned(), claims.get(name)?.clone()))).collect::<Map<_, _>>().into()
}

#[test]
fn peers_verify_what_we_issue_and_bind() {
    let parties = Parties::new();
    let issued = parties.issued_by_us();
    let paths = json!([["given_name"], ["address", "locality"], ["nationalities", 1]]);
    let presented = parties.presented_by_us(&issued, paths);
    for library in Library::all() {
        let name = library.name();
        let answer = library.ask(&parties.verification(&presented, NONCE));
        assert_eq!(shown(&answer["claims"]), part(), "{name}: {answer}");
        let everything = json!([
            ["given_name"],
            ["family_name"],
            ["age_over_18"],
            ["address", "locality"],
            ["address", "street"],
            ["nationalities", null]
        ]);
        let whole = parties.presented_by_us(&issued, everything);
        let answer = library.ask(&parties.verification(&whole, NONCE));
        assert_eq!(answer["claims"]["nationalities"], json!(["SV", "MX", "GT"]), "{name}: {answer}");
        assert_eq!(answer["claims"]["address"], json!({"locality": "Suchitoto", "street": "Calle 1"}), "{name}");
        // It can refuse: another nonce, a disclosure left out after binding, no key binding, another issuer.
        let parts: Vec<&str> = presented.split('~').collect();
        let without_one = [&parts[..1], &parts[2..]].concat().join("~");
        let unbound = format!("{}~", parts[..parts.len() - 1].join("~"));
        let mut other = parties.verification(&presented, NONCE);
        other["issuer"] = public_jwk(&key(7));
        let refused = [
            parties.verification(&presented, "another"),
            parties.verification(&without_one, NONCE),
            parties.verification(&unbound, NONCE),
            other,
        ];
        for (n, job) in refused.iter().enumerate() {
            let answer = library.ask(job);
            assert!(answer["error"].is_string(), "{name} would refuse {n}: {answer}");
        }
    }
}

#[test]
fn we_verify_what_peers_issue_and_bind() {
    let parties = Parties::new();
    for library in Library::all() {
        let name = library.name();
        let issued = parties.issued_by(&library);
        let held = verify_issued(&issued, &parties.policy(), parties.now).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            held.disclosable_paths().len(),
            10,
            "{name}: three names, the address and its two parts, the nationalities and each"
        );
        let decoys = credentials::b64::decode(issued.split('.').nth(1).unwrap()).unwrap();
        let decoys: Value = serde_json::from_slice(&decoys).unwrap();
        assert!(decoys["_sd"].as_array().unwrap().len() > 5, "{name} adds decoys");
        // What it issued and what we issued, each shown by it.
        for issued in [issued, parties.issued_by_us()] {
            let presented = parties.presented_by(&library, &issued);
            parties.verify(&presented).unwrap_or_else(|e| panic!("{name}: {e}"));
            let expected = Expected::new(parties.policy(), AUDIENCE, "another", parties.now);
            assert!(matches!(verify_presented(&presented, &expected), Err(VerifyError::KeyBinding(_))), "{name}");
        }
    }
}

#[test]
fn both_forms_of_json_go_both_ways_with_sd_jwt_js() {
    if node().is_none() {
        return;
    }
    let parties = Parties::new();
    let paths = json!([["given_name"], ["address", "locality"], ["nationalities", 1]]);
    let ours = parties.presented_by_us(&parties.issued_by_us(), paths);
    // What we write, it reads, and it verifies what it read.
    let written = SdJwtIn::parse(&ours).unwrap();
    let [flattened, general] = [written.to_flattened_json(), written.to_general_json()]
        .map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let texts = Library::Node.ask(&json!({"do": "compact", "flattened": flattened, "general": general}));
    assert_eq!(texts["texts"], json!([ours, ours]), "{texts}");
    let answer = Library::Node.ask(&parties.verification(&ours, NONCE));
    assert_eq!(shown(&answer["claims"]), part(), "{answer}");
    // What it writes, we read and verify, and no longer when a disclosure is gone.
    let theirs = parties.presented_by(&Library::Node, &parties.issued_by(&Library::Node));
    let written = Library::Node.ask(&json!({"do": "json", "compact": theirs}));
    for form in ["flattened", "general"] {
        let parse = |value: &Value| SdJwtJsonIn::parse(value.to_string().as_bytes());
        let read = parse(&written[form]).unwrap_or_else(|e| panic!("{form}: {e}"));
        assert_eq!(read.first(), theirs);
        parties.verify(read.first()).unwrap();
        let mut less = written[form].clone();
        let header = if form == "general" { &mut less["signatures"][0]["header"] } else { &mut less["header"] };
        header["disclosures"].as_array_mut().unwrap().pop().unwrap();
        let read = parse(&less).unwrap();
        assert!(matches!(parties.verify(read.first()), Err(VerifyError::KeyBinding(_))), "{form}");
    }
}

#[test]
fn we_verify_what_peers_sign_by_es384_and_eddsa_where_we_say_so() {
    let parties = Parties::new();
    for library in Library::all() {
        let name = library.name();
        let alg = if matches!(library, Library::Node) { "ES384" } else { "EdDSA" };
        let key = library.ask(&json!({"do": "key"}));
        let (_, x5c) = parties.authority.certify_jwk(&key["public"], Usage::CredentialIssuing);
        let issued = parties.issued_under(&library, &key["private"], &x5c, alg);
        let wide = parties.policy().with_algorithms(SignatureAlgorithms::ALL);
        let held = verify_issued(&issued, &wide, parties.now).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(held.disclosable_paths().len(), 10, "{name}");
        let presented = parties.presented_by(&library, &issued);
        let mut expected = parties.expected();
        expected.issuers = wide;
        let seen = verify_presented(&presented, &expected).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shown(&Value::Object(seen.claims().clone())), part(), "{name}");
        // Nobody said so, or it is not what was signed.
        assert!(matches!(verify_issued(&issued, &parties.policy(), parties.now), Err(VerifyError::Parse(_))), "{name}");
        let other =
            issued.replacen(issued.split('.').nth(1).unwrap(), parties.issued_by_us().split('.').nth(1).unwrap(), 1);
        assert!(verify_issued(&other, &wide, parties.now).is_err(), "{name}");
    }
}
