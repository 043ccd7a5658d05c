//! Whole flows a second over HTTP: our services beside those of npm `@openid4vc/*`.

use crate::shell::{self, ShellError};
use std::path::Path;
use std::process::{Command, Stdio};

/// Builds our commands for speed, installs the peer, and lets `tests/examples/services` measure.
pub(crate) fn beside(target: &Path, flows: u32) -> Result<(), ShellError> {
    println!("Services\n");
    let peers = shell::root().join("tests/peers");
    if !["node", "npm"].into_iter().all(is_here) {
        println!("left out: Node.js 20 and npm are not here (Debian: apt-get install nodejs npm)");
        return Ok(());
    }
    if !peers.join("node_modules/.package-lock.json").is_file() {
        let mut npm = Command::new("npm");
        shell::run(npm.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&peers))?;
    }
    let commands = ["build", "--quiet", "--release", "--package", "issuer", "--package", "verifier", "--bins"];
    shell::run(shell::cargo().args(commands))?;
    let example = ["run", "--quiet", "--release", "--package", "tests", "--example", "services", "--"];
    shell::run(shell::cargo().args(example).arg(target.join("release")).arg(peers).arg(flows.to_string()))
}

fn is_here(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
