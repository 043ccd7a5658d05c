//! `amparo`, the holder's command.

fn main() -> std::process::ExitCode {
    wallet_app::cli::main()
}
