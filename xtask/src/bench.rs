//! Speed side by side with other implementations.

use crate::faiss;
use crate::services;
use crate::setup::{self, Scope, SetupError};
use crate::shell::{self, ShellError};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only 1:N search, beside FAISS.
    #[arg(long)]
    search: bool,
    /// Only time and memory of an unlock's biometrics: detect, align, embed, release.
    #[arg(long, conflicts_with = "search")]
    latency: bool,
    /// Only whole flows a second: issuer and verifier over HTTP, beside npm `@openid4vc/*`.
    #[arg(long, conflicts_with_all = ["search", "latency"])]
    services: bool,
    /// Only what a verification costs above its two signatures, and a status list of 2^20 entries.
    #[arg(long, conflicts_with_all = ["search", "latency", "services"])]
    verification: bool,
    /// Only how costs grow with the number of claims: 5, 20, 100, 250 and 500.
    #[arg(long, conflicts_with_all = ["search", "latency", "services", "verification"])]
    growth: bool,
    /// How many flows a turn, for the services.
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(8..=10_000))]
    flows: u32,
    /// Also the small parts one by one (status lists, JWE, key release, vault stages), by `cargo bench`.
    #[arg(long)]
    parts: bool,
}

/// What could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// The peers live in a workspace of their own (docs/decisions/0004) and take minutes to build the first time.
pub(crate) fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), std::path::PathBuf::from);
    if arguments.services {
        println!("{}\n", machine());
        return Ok(services::beside(&target, arguments.flows)?);
    }
    let home = setup::run(Scope::Demo)?;
    println!("{}\n", machine());
    if arguments.search {
        println!("1:N search\n\n{}", faiss::beside(&home, &faiss::FULL, || biometrics(&home))?);
        return Ok(());
    }
    if arguments.latency {
        shell::run(biometrics(&home).arg("latency").arg(home.photograph("obama3.jpg")))?;
        return Ok(());
    }
    let mut bench = shell::cargo();
    bench.current_dir(shell::root().join("tests/bench")).args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--target-dir",
    ]);
    bench.arg(target.join("bench")).env("AMPARO_HOME", home.path());
    if arguments.verification {
        return Ok(shell::run(bench.args(["--", "verification"]))?);
    }
    if arguments.growth {
        return Ok(shell::run(bench.args(["--", "growth"]))?);
    }
    shell::run(&mut bench)?;
    println!("\nAn unlock's biometrics, part by part\n");
    shell::run(biometrics(&home).arg("latency").arg(home.photograph("obama3.jpg")))?;
    println!("\n1:N search\n\n{}", faiss::beside(&home, &faiss::FULL, || biometrics(&home))?);
    services::beside(&target, arguments.flows)?;
    if arguments.parts {
        shell::run(shell::cargo().args([
            "bench",
            "--package",
            "credentials",
            "--package",
            "wallet-core",
            "--package",
            "biometrics",
        ]))?;
    }
    Ok(())
}

/// The product's own command, built for speed.
pub(crate) fn biometrics(home: &setup::Home) -> std::process::Command {
    let mut command = shell::cargo();
    command.args(["run", "--quiet", "--release", "--package", "biometrics", "--bin", "amparo-biometrics", "--"]);
    command.env("AMPARO_HOME", home.path());
    command
}

/// Which machine and which commit the numbers are of.
pub(crate) fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("unknown processor", |l| l.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git").args(arguments).current_dir(shell::root()).output();
        output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "*.rs", "*.toml", "*.lock"]);
    let changed = if changed.is_empty() { "" } else { " with changes" };
    format!("{cpu}, {cores} cores, commit {commit}{changed}")
}
