//! Speed side by side with other implementations, and the measured numbers of the biometric evaluation.

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the benchmark of that name.
    filter: Option<String>,
}
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {}
pub(crate) fn run(_a: &Arguments) -> Result<(), BenchError> {
    Ok(())
}
pub(crate) fn evaluate() -> Result<(), BenchError> {
    Ok(())
}
