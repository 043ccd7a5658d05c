//! ONNX Runtime: one library and one environment a process, sessions from memory on one thread.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;

use super::EngineError;

/// The library in use and its environment: ONNX Runtime allows one of each.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// A session for a model, on one thread. Memory is laid out anew in each run, the same way each time: so a run on nothing
/// overwrites what an earlier one left.
pub(crate) fn session(library: &Path, name: &'static str, model: &[u8]) -> Result<Session, EngineError> {
    let environment = environment(library)?;
    let refuse = |detail: String| EngineError::Session { model: name, detail };
    let builder = Session::builder(&environment).map_err(|e| refuse(e.to_string()))?;
    let builder = builder.with_intra_threads(1).map_err(|e| refuse(e.to_string()))?;
    let builder = builder.with_inter_threads(1).map_err(|e| refuse(e.to_string()))?;
    let builder = builder.with_deterministic_compute(true).map_err(|e| refuse(e.to_string()))?;
    let builder = builder.with_memory_pattern(false).map_err(|e| refuse(e.to_string()))?;
    let mut builder = builder.with_log_level(LogLevel::Error).map_err(|e| refuse(e.to_string()))?;
    builder.commit_from_memory(model).map_err(|e| refuse(e.to_string()))
}

fn environment(library: &Path) -> Result<Environment, EngineError> {
    let fail = |detail: String| EngineError::RuntimeLibrary { detail };
    // Otherwise a relative path would be looked for beside the program first.
    let library = std::path::absolute(library).map_err(|e| fail(e.to_string()))?;
    let mut loaded = LOADED.lock().map_err(|_| fail("an earlier load failed".to_owned()))?;
    match loaded.as_ref() {
        Some((path, environment)) if *path == library => Ok(environment.clone()),
        Some((path, _)) => Err(fail(format!("{} is loaded already", path.display()))),
        None => {
            let builder = ort::init_from(&library).map_err(|e| fail(e.to_string()))?;
            let environment =
                builder.with_name("amparo").with_telemetry(false).build().map_err(|e| fail(e.to_string()))?;
            environment.set_log_level(LogLevel::Error);
            *loaded = Some((library, environment.clone()));
            Ok(environment)
        }
    }
}
