//! The two servers, stopped when the test or the demo ends, however it ends.

use crate::{CommandError, Commands};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A running server.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts `program serve` for `data` on the port of `url`, logs into `log`, waits until it takes connections.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn start(commands: &Commands, program: &str, data: &Path, url: &str, log: &Path) -> Result<Self, CommandError> {
        Self::start_with(commands, program, data, url, log, &[])
    }

    /// The same with more on the command line.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn start_with(
        commands: &Commands,
        program: &str,
        data: &Path,
        url: &str,
        log: &Path,
        more: &[&str],
    ) -> Result<Self, CommandError> {
        let address = url.trim_start_matches("http://").to_owned();
        let file =
            std::fs::File::create(log).map_err(|source| CommandError::Storage { path: log.to_path_buf(), source })?;
        let child = commands
            .command(program)
            .args(["serve", "--listen", &address, "--data"])
            .arg(data)
            .args(more)
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .map_err(|source| CommandError::Start { command: format!("{program} serve"), source })?;
        let server = Self(child);
        let started = Instant::now();
        while TcpStream::connect(&address).is_err() {
            if started.elapsed() > Duration::from_secs(30) {
                return Err(CommandError::NotServing { address, log: log.to_path_buf() });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ports that nobody listens on, held together so that they differ.
///
/// # Errors
/// [`CommandError::NoPort`].
pub fn free_ports<const N: usize>() -> Result<[u16; N], CommandError> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(CommandError::NoPort)?;
        *port = listener.local_addr().map_err(CommandError::NoPort)?.port();
        held.push(listener);
    }
    Ok(ports)
}
