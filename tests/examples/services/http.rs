//! HTTP/1.1 over connections that stay open: as little of it as the wallets need, so that they cost little.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A client, with a connection to each server it spoke to.
#[derive(Default)]
pub(crate) struct Http {
    connections: HashMap<String, BufReader<TcpStream>>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.text()))
    }
}

impl Http {
    pub(crate) fn get(&mut self, url: &str) -> Answer {
        self.send("GET", url, &[], b"")
    }

    pub(crate) fn post(&mut self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", url, headers, body)
    }

    fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("{url}"));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut message = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            message.push_str(&format!("{name}: {value}\r\n"));
        }
        message.push_str("\r\n");
        let message = [message.as_bytes(), body].concat();
        // A connection that the server closed meanwhile is opened anew, once.
        if let Some(mut connection) = self.connections.remove(host)
            && let Some(answer) = exchange(&mut connection, &message)
        {
            self.connections.insert(host.to_owned(), connection);
            return answer;
        }
        let address = host.replace("localhost", "127.0.0.1");
        let stream = TcpStream::connect(&address).unwrap_or_else(|e| panic!("{address}: {e}"));
        stream.set_nodelay(true).unwrap();
        let mut connection = BufReader::new(stream);
        let answer = exchange(&mut connection, &message).unwrap_or_else(|| panic!("{url}: no answer"));
        self.connections.insert(host.to_owned(), connection);
        answer
    }
}

/// `None` when the connection is no more.
fn exchange(connection: &mut BufReader<TcpStream>, message: &[u8]) -> Option<Answer> {
    connection.get_mut().write_all(message).ok()?;
    let mut line = String::new();
    if connection.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let status = line.split(' ').nth(1)?.parse().ok()?;
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let (name, value) = (name.to_lowercase(), value.to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).ok()?;
    Some(Answer { status, headers, body })
}
