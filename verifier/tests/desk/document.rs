//! W3C credentials of a registry, by the command; what a peer signed (`tests/bench/tests/ssi_documents.rs` wrote it).

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const NOW: &str = "2030-01-01T00:00:00Z";

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/vc-data-integrity")
}

/// An operator's folder: the registry file, and beside it what it names.
struct Operator(TempDir);

impl Operator {
    fn accepting(issuer: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(vectors().join("examples-v2.jsonld"), folder.path().join("examples.jsonld")).unwrap();
        let examples = "https://www.w3.org/ns/credentials/examples/v2";
        let registry = json!({
            "accepted": [{"type": "BirthRecord", "issuers": [issuer], "contexts": ["https://www.w3.org/ns/credentials/v2", examples]}],
            "contexts": {examples: "examples.jsonld"},
        });
        std::fs::write(folder.path().join("registry.json"), registry.to_string()).unwrap();
        Self(folder)
    }

    fn place(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, document: &Path, rest: &[&str]) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo-verifier"));
        command.args(["--json", "document", "--now", NOW, "--registry"]).arg(self.place("registry.json"));
        let output = command.args(rest).arg(document).output().unwrap();
        (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
    }
}

fn vector(name: &str) -> (PathBuf, Value) {
    let path = vectors().join(name);
    let value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    (path, value)
}

#[test]
fn w3c_50_a_registrys_documents_at_the_desk() {
    for suite in ["ecdsa", "eddsa"] {
        let (path, document) = vector(&format!("ssi-{suite}.json"));
        let operator = Operator::accepting(document["issuer"]["id"].as_str().unwrap());
        let list = |name: &str| vectors().join(format!("ssi-{suite}-list-{name}.json")).to_str().unwrap().to_owned();
        let (clear, revoked) = (list("clear"), list("revoked"));

        let (code, said) = operator.read(&path, &["--status-list", &clear]);
        assert_eq!((code, &said["verified"], &said["status"]), (0, &json!(true), &json!("valid")), "{said}");
        assert_eq!((&said["claims"]["birthDate"], &said["holder_bound"]), (&json!("2009-05-01"), &json!(false)));
        let code_of =
            |(code, said): (i32, Value)| (code, said["error"]["code"].as_str().unwrap_or_default().to_owned());
        assert_eq!(code_of(operator.read(&path, &["--status-list", &revoked])), (4, "revoked".into()));
        assert_eq!(code_of(operator.read(&path, &[])), (4, "status_unknown".into()));
        let (code, said) = operator.read(&path, &["--unknown-status", "accept"]);
        assert_eq!((code, &said["status"]), (0, &json!("unknown")));
        // Two lists of one time: the worse counts.
        let both = ["--status-list", &clear, "--status-list", &revoked];
        assert_eq!(code_of(operator.read(&path, &both)), (4, "revoked".into()));

        let changed = operator.place("changed.json");
        let mut other = document.clone();
        other["credentialSubject"]["familyName"] = json!("Otra");
        std::fs::write(&changed, other.to_string()).unwrap();
        let refused = operator.read(&changed, &["--status-list", &clear]);
        assert!(!refused.1.to_string().contains("Otra"), "no claim in an error");
        assert_eq!(code_of(refused), (4, "document_invalid".into()));
        let stranger = Operator::accepting("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
        assert_eq!(code_of(stranger.read(&path, &["--status-list", &clear])), (4, "issuer_not_accepted".into()));
        assert_eq!(code_of(operator.read(Path::new("/dev/null"), &[])), (4, "document_invalid".into()));
        assert_eq!(code_of(operator.read(&operator.place("absent.json"), &[])), (2, "file".into()));
        std::fs::write(stranger.place("registry.json"), r#"{"accepted": [], "fetch": true}"#).unwrap();
        assert_eq!(code_of(stranger.read(&path, &[])), (2, "usage".into()));
    }
    let (path, document) = vector("ssi-sd-derived.json");
    let issuer = document["issuer"].get("id").unwrap_or(&document["issuer"]).as_str().unwrap().to_owned();
    let (code, said) = Operator::accepting(&issuer).read(&path, &[]);
    assert_eq!((code, &said["cryptosuite"], &said["status"]), (0, &json!("ecdsa-sd-2023"), &json!("none")), "{said}");
    assert!(said["claims"].get("familyName").is_none());
}
