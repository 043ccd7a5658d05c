//! A world for one test: an issuer, a verifier, a holder with a vault, all of it in a temporary folder.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::{Answer, Commands, Server, free_ports};

pub(crate) const PIN: &str = "48213957";

/// `AMPARO_HOME`, or where it is without being named.
pub(crate) fn home() -> Option<PathBuf> {
    std::env::var_os("AMPARO_HOME").map(PathBuf::from).or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        cache.or_else(|| std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache"))).map(|c| c.join("amparo"))
    })
}

/// The commands of this build, or `None` with a word why the test is skipped.
pub(crate) fn commands() -> Option<Commands> {
    let home = home()?;
    for needed in ["runtime/libonnxruntime.so", "photographs/obama3.jpg", "photographs/biden.jpg"] {
        if !home.join(needed).is_file() {
            println!("skipped: {} is not there; run `cargo xtask setup`", home.join(needed).display());
            return None;
        }
    }
    let own = std::env::current_exe().unwrap();
    let bins = own.ancestors().find(|a| a.join("amparo").is_file()).map(Path::to_path_buf);
    Some(Commands::new(bins.expect("the commands are built first: cargo build --bins"), home))
}

pub(crate) struct World {
    pub(crate) commands: Commands,
    pub(crate) issuer_url: String,
    pub(crate) verifier_url: String,
    pub(crate) issuer: Option<Server>,
    pub(crate) verifier: Option<Server>,
    folder: TempDir,
}

impl World {
    /// Issuer and verifier serve and trust; the holder has a vault and knows both.
    pub(crate) fn new() -> Option<Self> {
        let commands = commands()?;
        let folder = tempfile::tempdir().unwrap();
        let [issuer, verifier] = free_ports().unwrap();
        let mut world = Self {
            commands,
            issuer_url: format!("http://127.0.0.1:{issuer}"),
            verifier_url: format!("http://localhost:{verifier}"),
            issuer: None,
            verifier: None,
            folder,
        };
        std::fs::write(world.place("pin"), PIN).unwrap();
        let (issuer, verifier) = (world.text("issuer"), world.text("verifier"));
        world.run("amparo-issuer", &["init", "--data", &issuer, "--url", &world.issuer_url, "--name", "Registry"], 0);
        world.run("amparo-verifier", &["init", "--data", &verifier, "--url", &world.verifier_url, "--name", "Desk"], 0);
        world.run(
            "amparo-verifier",
            &["trust", "--data", &verifier, "--anchor", &world.text("issuer/trust-anchor.pem")],
            0,
        );
        world.issuer = Some(world.serve("amparo-issuer", "issuer", &world.issuer_url));
        world.verifier = Some(world.serve("amparo-verifier", "verifier", &world.verifier_url));
        Some(world)
    }

    /// The same, with a vault that knows issuer and verifier.
    pub(crate) fn with_vault() -> Option<Self> {
        let world = Self::new()?;
        let (vault, pin, key) = (world.text("vault"), world.text("pin"), world.text("key"));
        let faces = ["obama.jpg", "obama2.jpg"].map(|n| world.photograph(n));
        let arguments = [
            "new",
            "--vault",
            &vault,
            "--pin-file",
            &pin,
            "--device-key",
            &key,
            "--face",
            &faces[0],
            "--face",
            &faces[1],
        ];
        world.run("amparo", &arguments, 0);
        for data in ["issuer", "verifier"] {
            world.holder("trust", &["--anchor", &world.text(&format!("{data}/trust-anchor.pem"))], 0);
        }
        Some(world)
    }

    pub(crate) fn serve(&self, program: &str, data: &str, url: &str) -> Server {
        let url = url.replace("localhost", "127.0.0.1");
        Server::start(&self.commands, program, &self.place(data), &url, &self.place(&format!("{data}.log"))).unwrap()
    }

    /// Stops the issuer and starts it again with more on its command line.
    pub(crate) fn restart_issuer(&mut self, more: &[&str]) {
        self.issuer = None;
        let (data, log) = (self.place("issuer"), self.place("issuer.log"));
        let url = &self.issuer_url;
        self.issuer = Some(Server::start_with(&self.commands, "amparo-issuer", &data, url, &log, more).unwrap());
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.place(name).to_string_lossy().into_owned()
    }

    pub(crate) fn photograph(&self, name: &str) -> String {
        self.commands.home().join("photographs").join(name).to_string_lossy().into_owned()
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str], expected: i32) -> Answer {
        self.commands.run(program, arguments, expected).unwrap_or_else(|e| panic!("{e}"))
    }

    /// A holder's command with everything that opens the vault.
    pub(crate) fn holder(&self, command: &str, rest: &[&str], expected: i32) -> Answer {
        self.holder_with(&self.photograph("obama3.jpg"), command, rest, expected)
    }

    pub(crate) fn holder_with(&self, face: &str, command: &str, rest: &[&str], expected: i32) -> Answer {
        let (vault, pin, key) = (self.text("vault"), self.text("pin"), self.text("key"));
        let mut arguments = vec![command, "--vault", &vault, "--pin-file", &pin, "--device-key", &key, "--face", face];
        arguments.extend(rest);
        self.run("amparo", &arguments, expected)
    }

    /// An offer of an identity: handle, link, code.
    pub(crate) fn offer(&self, count: &str) -> (String, String, String) {
        self.offer_in("sd-jwt", count)
    }

    /// The same in that format.
    pub(crate) fn offer_in(&self, format: &str, count: &str) -> (String, String, String) {
        let claims =
            json!({"given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12", "nationalities": ["SV"]});
        std::fs::write(self.place("claims.json"), claims.to_string()).unwrap();
        let (data, claims) = (self.text("issuer"), self.text("claims.json"));
        let offer = self.run(
            "amparo-issuer",
            &[
                "offer", "--data", &data, "--type", "identity", "--format", format, "--claims", &claims, "--count",
                count,
            ],
            0,
        );
        (offer.text("/handle").unwrap(), offer.text("/credential_offer_uri").unwrap(), offer.text("/tx_code").unwrap())
    }

    /// A request: transaction and link.
    pub(crate) fn request(&self, arguments: &[&str]) -> (String, String) {
        let data = self.text("verifier");
        let mut all = vec!["request", "--data", &data];
        all.extend(arguments);
        let request = self.run("amparo-verifier", &all, 0);
        (request.text("/transaction").unwrap(), request.text("/request_uri").unwrap())
    }

    pub(crate) fn result(&self, transaction: &str, expected: i32) -> Value {
        let data = self.text("verifier");
        self.run("amparo-verifier", &["result", "--data", &data, transaction, "--wait", "10s"], expected).json
    }
}
