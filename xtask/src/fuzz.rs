//! `cargo xtask fuzz TARGET`: libFuzzer on one target, its corpus beside it; needs a C++ compiler, no other toolchain.

use crate::shell::{self, ShellError};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One of the folders in tests/fuzz/corpus.
    target: String,
    /// Stop after so many minutes.
    #[arg(long, default_value_t = 10)]
    minutes: u32,
}

/// What did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FuzzError {
    #[error("there is no corpus of that name in tests/fuzz/corpus; there are: {0}")]
    NoTarget(String),
    #[error("{path}: {source}")]
    Storage { path: std::path::PathBuf, source: std::io::Error },
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// Coverage as libFuzzer wants it. No address sanitizer: the stable compiler has none, and our only `unsafe` calls what was compiled for found instructions.
const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Builds and runs. New inputs go to a folder in the target directory; whoever finds something moves it to the corpus.
pub(crate) fn run(arguments: &Arguments) -> Result<(), FuzzError> {
    let root = shell::root();
    let corpora = root.join("tests/fuzz/corpus");
    let corpus = corpora.join(&arguments.target);
    if !corpus.is_dir() {
        let names = std::fs::read_dir(&corpora).map_err(|source| FuzzError::Storage { path: corpora, source })?;
        let mut names: Vec<_> = names.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        return Err(FuzzError::NoTarget(names.join(" ")));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), std::path::PathBuf::from);
    let found = target.join("fuzz-found").join(&arguments.target);
    let folder = |path: &std::path::Path| {
        std::fs::create_dir_all(path).map_err(|source| FuzzError::Storage { path: path.to_path_buf(), source })
    };
    folder(&found)?;
    let mut fuzz = shell::cargo();
    // A target named outright keeps the instrumentation away from build scripts.
    fuzz.current_dir(root.join("tests/fuzz")).args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--target",
        "host-tuple",
    ]);
    fuzz.arg("--target-dir").arg(target.join("fuzz")).arg("--").arg(&found).arg(&corpus);
    fuzz.arg(format!("-max_total_time={}", u64::from(arguments.minutes) * 60));
    fuzz.args(["-max_len=16384", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1"]);
    fuzz.arg(format!("-artifact_prefix={}/", target.join("fuzz-found").display()));
    fuzz.env("RUSTFLAGS", INSTRUMENTED).env("AMPARO_FUZZ_TARGET", &arguments.target);
    Ok(shell::run(&mut fuzz)?)
}
