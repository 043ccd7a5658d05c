//! Speed side by side with other implementations, and the measured numbers of the biometric evaluation.

use crate::setup::{self, Scope, SetupError};
use crate::shell::{self, ShellError};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only 1:N search, beside FAISS.
    #[arg(long)]
    search: bool,
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
    #[error("the images are not here: {0} (see shared/data/README.md, or set AMPARO_DATA)")]
    NoData(std::path::PathBuf),
    #[error("{path}: {source}")]
    Storage { path: std::path::PathBuf, source: std::io::Error },
}

/// The peers live in a workspace of their own (docs/decisions/0004) and take minutes to build the first time.
pub(crate) fn run(arguments: &Arguments) -> Result<(), BenchError> {
    let home = setup::run(Scope::Demo)?;
    machine();
    if arguments.search {
        return Ok(crate::faiss::beside(&home, || biometrics(&home))?);
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), std::path::PathBuf::from);
    let mut bench = shell::cargo();
    bench.current_dir(shell::root().join("tests/bench")).args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--target-dir",
    ]);
    shell::run(bench.arg(target.join("bench")).env("AMPARO_HOME", home.path()))?;
    crate::faiss::beside(&home, || biometrics(&home))?;
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

/// The protocol of docs/biometric-evaluation.md, by the product's own command.
pub(crate) fn evaluate() -> Result<(), BenchError> {
    let home = setup::run(Scope::Demo)?;
    let data =
        std::env::var_os("AMPARO_DATA").map_or_else(|| shell::root().join("../shared/data"), std::path::PathBuf::from);
    let faces = data.join("faces/orl");
    if !faces.is_dir() {
        return Err(BenchError::NoData(faces));
    }
    machine();
    let folder = home.path().join("evaluation");
    std::fs::create_dir_all(&folder).map_err(|source| BenchError::Storage { path: folder.clone(), source })?;
    for (enrol, frames, commands) in [
        ("1", "1", &["evaluate", "release"][..]),
        ("2", "1", &["release"]),
        ("3", "1", &["release"]),
        ("5", "1", &["evaluate", "release"]),
        ("5", "3", &["evaluate", "release"]),
    ] {
        let mut pairs = biometrics(&home);
        pairs.args(["pairs", "--enrol", enrol, "--frames", frames, "--people"]).arg(&faces);
        let list = kept(&folder, &format!("pairs-{enrol}-{frames}.csv"), &mut pairs)?;
        for command in commands {
            println!("== {command}: {enrol} captures enrolled, {frames} frames a probe");
            let mut measured = biometrics(&home);
            measured.args([command, "--pairs"]).arg(&list);
            if *command == "evaluate" {
                measured.args(["--modality", "face", "--plot"]).arg(folder.join(format!("det-{enrol}-{frames}.svg")));
            }
            shell::run(&mut measured)?;
        }
    }
    // Portraits of the size that the product asks for: two enrolled, the third shown, in all orders.
    let portrait = |name: &str| home.path().join("photographs").join(name).display().to_string();
    let [one, two, three, other] = ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"].map(portrait);
    let mut rows = String::from("reference,probe,mated\n");
    for (first, second, shown) in [(&one, &two, &three), (&one, &three, &two), (&two, &three, &one)] {
        rows.push_str(&format!("{first};{second},{shown},1\n{first};{second},{other},0\n"));
    }
    let list = folder.join("pairs-portraits.csv");
    std::fs::write(&list, rows).map_err(|source| BenchError::Storage { path: list.clone(), source })?;
    println!("== release: portraits, two enrolled, each under 200 fresh transforms");
    shell::run(biometrics(&home).args(["release", "--gate", "--enrolments", "200", "--pairs"]).arg(&list))?;
    println!("== protection: each capture enrolled under its own seed");
    let mut protection = biometrics(&home);
    protection.args(["protection", "--plot"]).arg(folder.join("linkage.svg"));
    shell::run(protection.arg("--pairs").arg(folder.join("pairs-1-1.csv")))?;
    println!("== presentation attacks, SIMULATED");
    let mut pad = biometrics(&home);
    pad.args(["pad", "--presentations", "3"]);
    for name in [&one, &two, &three, &other] {
        pad.args(["--portrait", name]);
    }
    let network = data.join("models/minifasnet-v2-se.onnx");
    if network.is_file() {
        pad.arg("--network").arg(network).args(["--sha256", PAD_NETWORK]);
        for name in ["image_F1.jpg", "image_F2.jpg"] {
            pad.arg("--attack").arg(data.join("pad").join(name));
        }
    }
    shell::run(&mut pad)?;
    fingers(&home, &data.join("fingers/fvc2002"), &folder)?;
    println!("The lists and curves are in {}.", folder.display());
    Ok(())
}

/// The network of shared/data/README.md, which an operator could bring.
const PAD_NETWORK: &str = "af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6";

/// Prints of four sensors: the product's own command with one and with three impressions enrolled, then the peers.
fn fingers(home: &setup::Home, data: &std::path::Path, folder: &std::path::Path) -> Result<(), BenchError> {
    if !data.is_dir() {
        println!("absent, fingers not measured: {}", data.display());
        return Ok(());
    }
    let sets = [("DB1_B", "500"), ("DB2_B", "569"), ("DB3_B", "500"), ("DB4_B", "500")];
    for (set, dpi) in sets {
        for enrol in ["1", "3"] {
            println!("== evaluate: fingers of {set}, {enrol} impressions enrolled");
            let mut pairs = biometrics(home);
            pairs.args(["pairs", "--splits", "8", "--enrol", enrol, "--fingers"]).arg(data.join(set));
            let list = kept(folder, &format!("pairs-{set}-{enrol}.csv"), &mut pairs)?;
            let mut measured = biometrics(home);
            measured.args(["evaluate", "--modality", "finger", "--dpi", dpi, "--pairs"]).arg(&list);
            shell::run(measured.arg("--plot").arg(folder.join(format!("det-{set}-{enrol}.svg"))))?;
        }
    }
    println!("== peers: MINDTCT with BOZORTH3 on the same images");
    let mut peers = shell::cargo();
    peers.args(["run", "--quiet", "--release", "--package", "biometrics", "--example", "finger_peers", "--"]);
    for (set, dpi) in sets {
        peers.arg(dpi).arg(data.join(set));
    }
    shell::run(&mut peers)?;
    Ok(())
}

/// What a command prints, in a file.
fn kept(
    folder: &std::path::Path,
    name: &str,
    command: &mut std::process::Command,
) -> Result<std::path::PathBuf, BenchError> {
    let path = folder.join(name);
    let storage = |source| BenchError::Storage { path: path.clone(), source };
    let file = std::fs::File::create(&path).map_err(storage)?;
    shell::run(command.stdout(file))?;
    Ok(path)
}

/// The product's own command, built for speed.
fn biometrics(home: &setup::Home) -> std::process::Command {
    let mut command = shell::cargo();
    command.args(["run", "--quiet", "--release", "--package", "biometrics", "--bin", "amparo-biometrics", "--"]);
    command.env("AMPARO_HOME", home.path());
    command
}

/// Which machine and which commit the numbers are of.
fn machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("unknown processor", |l| l.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let commit =
        std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).current_dir(shell::root()).output();
    let commit = commit.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    println!("{cpu}, {cores} cores, commit {commit}\n");
}
