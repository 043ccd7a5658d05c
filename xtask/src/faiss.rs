//! 1:N search beside FAISS, in turns on one machine, each on one thread.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::setup::Home;
use crate::shell::{self, ShellError};

/// How much to measure.
pub(crate) struct Scale {
    rounds: usize,
    /// Vectors and probes, beside the peers.
    compared: &'static [(&'static str, &'static str)],
    /// The same, ours alone.
    growth: &'static [(&'static str, &'static str)],
}

/// What `cargo xtask bench` shows.
pub(crate) const FULL: Scale = Scale {
    rounds: 3,
    compared: &[("100000", "200"), ("1000000", "40")],
    growth: &[("1000", "200"), ("10000", "200"), ("100000", "100"), ("1000000", "20"), ("4000000", "8")],
};

/// What `cargo xtask evaluate` shows.
pub(crate) const SHORT: Scale = Scale {
    rounds: 2,
    compared: &[("100000", "100"), ("1000000", "20")],
    growth: &[("1000", "200"), ("10000", "200"), ("4000000", "8")],
};

/// The table, ready for a document; where FAISS cannot be installed, our half of it and why.
pub(crate) fn beside(home: &Home, scale: &Scale, mut own: impl FnMut() -> Command) -> Result<String, ShellError> {
    let mut text = format!(
        "128 numbers a vector, one thread, ten candidates; milliseconds a probe, the best of {} turns; in brackets how many times \
         faster ours is.\n\n| vectors, probes | | one at a time | in one batch | |\n|---|---|---|---|---|\n",
        scale.rounds
    );
    let python = environment(&home.path().join("peers"));
    for (gallery, probes) in scale.compared {
        let (mut ours, mut flat, mut sq8) = (Row::default(), Row::default(), Row::default());
        for _ in 0..scale.rounds {
            let mut search = own();
            ours.take(&answer(search.args(["search", "--json", "--gallery", gallery, "--probes", probes]))?);
            if let Ok(python) = &python {
                let script = shell::root().join("tests/peers/faiss_search.py");
                let peer = answer(Command::new(python).arg(script).args([gallery, probes]))?;
                flat.take(peer.get("flat").unwrap_or(&Value::Null));
                sq8.take(peer.get("sq8").unwrap_or(&Value::Null));
            }
        }
        let name = format!("{gallery}, {probes}");
        text.push_str(&ours.told(&name, "amparo", &ours));
        if python.is_ok() {
            text.push_str(&flat.told("", "FAISS IndexFlatIP", &ours));
            text.push_str(&sq8.told("", "FAISS SQ8", &ours));
        }
    }
    for (gallery, probes) in scale.growth {
        let mut row = Row::default();
        row.take(&answer(own().args(["search", "--json", "--gallery", gallery, "--probes", probes]))?);
        text.push_str(&row.told(&format!("{gallery}, {probes}"), "amparo, growth", &row));
    }
    if let Err(reason) = &python {
        text.push_str(&format!("\nFAISS is left out: {reason}\n"));
    }
    Ok(text)
}

/// The best of several turns.
#[derive(Default)]
struct Row {
    single: Option<f64>,
    batch: Option<f64>,
    rest: String,
}

impl Row {
    fn take(&mut self, answer: &Value) {
        let number = |name: &str| answer.get(name).and_then(Value::as_f64);
        let best = |old: Option<f64>, new: Option<f64>| old.into_iter().chain(new).reduce(f64::min);
        self.single = best(self.single, number("ms_per_probe_median"));
        self.batch = best(self.batch, number("ms_per_probe_in_batch"));
        let told = ["recall_at_10", "megabytes", "build_ms", "instructions"];
        let told = told.iter().filter_map(|name| Some(format!("{name} {}", answer.get(*name)?)));
        self.rest = told.collect::<Vec<_>>().join(", ");
    }

    fn told(&self, size: &str, name: &str, ours: &Self) -> String {
        let (single, batch) = (self.single.unwrap_or(f64::NAN), self.batch.unwrap_or(f64::NAN));
        let times = |theirs: f64, own: Option<f64>| theirs / own.unwrap_or(f64::NAN);
        format!(
            "| {size} | {name} | {single:.3} ({:.2}×) | {batch:.3} ({:.2}×) | {} |\n",
            times(single, ours.single),
            times(batch, ours.batch),
            self.rest
        )
    }
}

/// What a command prints, as JSON.
fn answer(command: &mut Command) -> Result<Value, ShellError> {
    let text = shell::output(command)?;
    Ok(serde_json::from_str(text.trim()).unwrap_or(Value::Null))
}

/// A virtual environment with the pinned FAISS; made the first time.
fn environment(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join("bin/python");
    let has = |python: &Path| {
        let check = format!("import faiss, sys; sys.exit(faiss.__version__ != '{FAISS}')");
        Command::new(python).args(["-c", &check]).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if has(&python) {
        return Ok(python);
    }
    let run = |command: &mut Command| {
        let done = command.stdin(Stdio::null()).stdout(Stdio::null()).output().map_err(|e| e.to_string())?;
        if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let packages = [format!("faiss-cpu=={FAISS}"), format!("numpy=={NUMPY}")];
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"])
        .args(packages))?;
    if has(&python) { Ok(python) } else { Err("the environment was made, and FAISS is not in it".to_owned()) }
}

const FAISS: &str = "1.15.1";
const NUMPY: &str = "2.3.4";
