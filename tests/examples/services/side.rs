//! Who serves: our commands as processes with data on disk, or one process of Node with everything in memory.

use crate::http::Http;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::{Commands, free_ports};

/// A service whose processor time is read.
pub(crate) trait Side {
    fn process(&self) -> Process;
}

pub(crate) trait Issuing: Side {
    /// Links, each with its transaction code.
    fn offers(&mut self, count: usize, copies: usize) -> Vec<(String, String)>;
}

pub(crate) trait Verifying: Side {
    fn requests(&mut self, count: usize) -> Vec<String>;
}

/// A process, by its number.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

impl Process {
    /// Its processor time until now, in seconds; nothing where the system has no `/proc`.
    pub(crate) fn time(self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let fields: Vec<f64> = after_name.split(' ').skip(11).take(2).filter_map(|f| f.parse().ok()).collect();
        // Linux has counted in hundredths for user space on every machine since 2.6.
        fields.iter().sum::<f64>() / 100.0
    }
}

/// A started service, stopped at the end.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// On the first core, where there is a way to say so.
fn pinned(program: &Path) -> Command {
    if has_taskset() {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn has_taskset() -> bool {
    Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// This process, and so the wallets, on the second core.
pub(crate) fn pin_self() -> bool {
    let own = std::process::id().to_string();
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", "1", &own]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|s| s.success())
}

/// Our commands.
pub(crate) struct Ours {
    commands: Commands,
    folder: PathBuf,
}

pub(crate) struct OurService {
    commands: Commands,
    data: String,
    service: Service,
}

impl Ours {
    pub(crate) fn new(bins: PathBuf, folder: PathBuf) -> Self {
        Self { commands: Commands::new(bins, folder.clone()), folder }
    }

    pub(crate) fn anchor(&self) -> PathBuf {
        self.folder.join("issuer/trust-anchor.pem")
    }

    pub(crate) fn issuer(&self) -> OurService {
        self.serve("amparo-issuer", "issuer", "127.0.0.1", &["--requests-per-minute", "100000000"])
    }

    pub(crate) fn verifier(&self) -> OurService {
        let service = self.serve("amparo-verifier", "verifier", "localhost", &[]);
        let anchor = self.anchor().to_string_lossy().into_owned();
        self.commands.run("amparo-verifier", &["trust", "--data", &service.data, "--anchor", &anchor], 0).unwrap();
        service
    }

    /// On the data of the first time: the verifier asks the issuer for its status lists at the same address.
    fn serve(&self, program: &str, name: &str, host: &str, more: &[&str]) -> OurService {
        let data = self.folder.join(name);
        let told = self.folder.join(format!("{name}.port"));
        let port = match std::fs::read_to_string(&told) {
            Ok(port) => port.parse().unwrap(),
            Err(_) => {
                let [port] = free_ports().unwrap();
                let url = format!("http://{host}:{port}");
                let data = data.to_string_lossy();
                self.commands.run(program, &["init", "--data", &data, "--url", &url, "--name", "Bench"], 0).unwrap();
                std::fs::write(told, port.to_string()).unwrap();
                port
            }
        };
        let address = format!("127.0.0.1:{port}");
        let mut command = pinned(&self.commands.bins().join(program));
        let log = std::fs::File::create(self.folder.join(format!("{name}.log"))).unwrap();
        command
            .args(["serve", "--listen", &address, "--data"])
            .arg(&data)
            .args(more)
            .env("AMPARO_HOME", self.commands.home());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let service = Service(command.spawn().unwrap());
        while std::net::TcpStream::connect(&address).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        OurService { commands: self.commands.clone(), data: data.to_string_lossy().into_owned(), service }
    }
}

impl OurService {
    /// Runs a command for every job, a few at once: starting processes is most of it.
    fn each(&self, count: usize, program: &str, arguments: &[&str], members: &[&str]) -> Vec<Vec<String>> {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut made = Vec::new();
                        while next.fetch_add(1, Ordering::Relaxed) < count {
                            let answer = self.commands.run(program, arguments, 0).unwrap_or_else(|e| panic!("{e}"));
                            made.push(members.iter().map(|member| answer.text(member).unwrap()).collect());
                        }
                        made
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        })
    }
}

impl Side for OurService {
    fn process(&self) -> Process {
        Process(self.service.0.id())
    }
}

impl Issuing for OurService {
    fn offers(&mut self, count: usize, copies: usize) -> Vec<(String, String)> {
        let claims =
            json!({"given_name": "Alma", "family_name": "Rivas", "birth_date": "1998-04-12", "nationalities": ["SV"]});
        let file = format!("{}/bench-claims.json", self.data);
        std::fs::write(&file, claims.to_string()).unwrap();
        let copies = copies.to_string();
        let arguments = [
            "offer",
            "--data",
            &self.data,
            "--type",
            "identity",
            "--claims",
            &file,
            "--count",
            &copies,
            "--redeem-within",
            "1h",
            "--valid",
            "30d",
        ];
        let made = self.each(count, "amparo-issuer", &arguments, &["/credential_offer_uri", "/tx_code"]);
        made.into_iter().map(|mut made| (std::mem::take(&mut made[0]), std::mem::take(&mut made[1]))).collect()
    }
}

impl Verifying for OurService {
    fn requests(&mut self, count: usize) -> Vec<String> {
        let arguments = [
            "request",
            "--data",
            &self.data,
            "--preset",
            "border-identity",
            "--purpose",
            "border-entry",
            "--retention",
            "15m",
            "--consent",
            "none",
            "--format",
            "sd-jwt",
        ];
        self.each(count, "amparo-verifier", &arguments, &["/request_uri"]).into_iter().flatten().collect()
    }
}

/// The scripts of the peers.
pub(crate) struct Theirs {
    scripts: PathBuf,
    folder: PathBuf,
}

pub(crate) struct TheirService {
    service: Service,
    url: String,
}

impl Theirs {
    pub(crate) fn new(scripts: PathBuf, folder: PathBuf) -> Self {
        Self { scripts, folder }
    }

    pub(crate) fn issuer(&self) -> TheirService {
        self.serve("issuer", &self.folder.join("peer-issuer.pem"))
    }

    pub(crate) fn verifier(&self, anchor: &Path) -> TheirService {
        self.serve("verifier", anchor)
    }

    fn serve(&self, role: &str, anchor: &Path) -> TheirService {
        let mut command = pinned(Path::new("node"));
        command.arg(self.scripts.join("services.mjs")).arg(role).arg(anchor);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the peer said {line:?}"));
        TheirService { service: Service(child), url: said["url"].as_str().unwrap().to_owned() }
    }
}

impl TheirService {
    fn made(&self, what: &str, count: usize) -> Value {
        Http::default().post(&format!("{}/{what}?count={count}", self.url), &[], b"").json()
    }
}

impl Side for TheirService {
    fn process(&self) -> Process {
        Process(self.service.0.id())
    }
}

impl Issuing for TheirService {
    fn offers(&mut self, count: usize, _copies: usize) -> Vec<(String, String)> {
        let made = self.made("offers", count);
        let code = made["tx_code"].as_str().unwrap();
        made["offers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|link| (link.as_str().unwrap().to_owned(), code.to_owned()))
            .collect()
    }
}

impl Verifying for TheirService {
    fn requests(&mut self, count: usize) -> Vec<String> {
        serde_json::from_value(self.made("requests", count)["requests"].clone()).unwrap()
    }
}
