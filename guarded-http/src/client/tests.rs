//! The client against real servers on loopback.

#![allow(clippy::disallowed_methods, reason = "the tests measure time")]

use super::*;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that reads one request head (and announced body), answers with what `answer` writes, and keeps what it read.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start<F, Fut>(bind: &str, answer: F) -> Self
    where
        F: Fn(String, TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(bind).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 65_536];
                let mut filled = 0;
                while !bytes[..filled].windows(4).any(|w| w == b"\r\n\r\n") {
                    let n = stream.read(&mut bytes[filled..]).await.unwrap_or(0);
                    if n == 0 {
                        break;
                    }
                    filled += n;
                }
                let request = String::from_utf8_lossy(&bytes[..filled]).into_owned();
                record.lock().unwrap().push(request.clone());
                tokio::spawn(answer(request, stream));
            }
        });
        Self { address, seen }
    }

    async fn fixed(response: impl Into<Vec<u8>>) -> Self {
        let response: Vec<u8> = response.into();
        Self::start("127.0.0.1:0", move |_, mut stream| {
            let response = response.clone();
            async move {
                let _ = stream.write_all(&response).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn hits(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn loopback() -> Policy {
    Policy { allow_loopback_http: true, timeout: Duration::from_secs(5), ..Policy::default() }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn redirect_to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_loopback_start_by_the_person_is_served() {
    let server = Server::fixed(ok("{}")).await;
    let response = Client::new(loopback()).get(&server.url("/a?b=c")).await.unwrap();
    assert_eq!(
        (response.status(), response.body(), response.media_type().as_str()),
        (200, b"{}".as_slice(), "application/json")
    );
    let head = server.seen.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /a?b=c http/1.1\r\n"));
    assert!(head.contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let server = Server::fixed("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno").await;
    let response = Client::new(loopback()).get(&server.url("/")).await.unwrap();
    assert_eq!((response.status(), response.is_success(), response.body()), (404, false, b"no".as_slice()));
}

#[tokio::test]
async fn forms_and_json_are_posted() {
    let server = Server::start("127.0.0.1:0", |_, mut stream| async move {
        let _ = stream.write_all(ok("{}").as_bytes()).await;
    })
    .await;
    let client = Client::new(loopback());
    client.post_form(&server.url("/f"), &[("state", "a b&c"), ("vp_token", "x=y")]).await.unwrap();
    client
        .send(Request::post_json(&server.url("/j"), b"{\"a\":1}".to_vec()).header("DPoP", "proof").unwrap())
        .await
        .unwrap();
    let seen = server.seen.lock().unwrap().join("\n").to_ascii_lowercase();
    assert!(
        seen.contains("content-type: application/x-www-form-urlencoded")
            && seen.contains("content-type: application/json")
    );
    assert!(seen.contains("dpop: proof"));
    assert!(matches!(Request::get("x").header("A", "b\r\nC: d"), Err(FetchError::InvalidHeader)));
}

#[tokio::test]
async fn localhost_is_tried_on_both_families() {
    for bind in ["127.0.0.1:0", "[::1]:0"] {
        if bind.starts_with('[') && TcpListener::bind("[::1]:0").await.is_err() {
            println!("skipped: this machine has no IPv6 loopback");
            continue;
        }
        let server = Server::start(bind, |_, mut stream| async move {
            let _ = stream.write_all(ok("{}").as_bytes()).await;
        })
        .await;
        let url = format!("http://localhost:{}/", server.address.port());
        assert_eq!(Client::new(loopback()).get(&url).await.unwrap().status(), 200, "{bind}");
    }
}

#[tokio::test]
async fn attack_43_loopback_is_refused_unless_the_person_named_it() {
    let server = Server::fixed(ok("{}")).await;
    let client = Client::new(Policy::default());
    let port = server.address.port();
    for url in [
        server.url("/"),
        format!("http://localhost:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        assert!(matches!(client.get(&url).await, Err(FetchError::RefusedAddress { .. })), "{url}");
    }
    assert_eq!(server.hits(), 0, "nothing may be sent");
}

#[tokio::test]
async fn attack_43_every_redirect_hop_is_checked() {
    let inside = Server::fixed(ok("secret")).await;
    for location in [
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://a:b@localhost/",
    ] {
        let server = Server::fixed(redirect_to(location)).await;
        let error = Client::new(Policy { redirects: 3, ..loopback() }).get(&server.url("/")).await.unwrap_err();
        assert!(
            matches!(error, FetchError::RefusedAddress { .. } | FetchError::Scheme { .. } | FetchError::Credentials),
            "{location}: {error}"
        );
    }
    let server = Server::fixed(redirect_to(&inside.url("/"))).await;
    let followed = Client::new(Policy { redirects: 1, ..loopback() }).get(&server.url("/")).await.unwrap();
    assert_eq!(followed.body(), b"secret", "loopback may lead to loopback");
    let refused = Client::new(loopback()).get(&server.url("/")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Redirected { most: 0, .. }), "no redirect by default");
}

#[tokio::test]
async fn attack_43_redirect_loops_end_and_posts_are_never_sent_on() {
    let server = Server::fixed(redirect_to("/again")).await;
    let error = Client::new(Policy { redirects: 200, ..loopback() }).get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirected { most: 3, .. }));
    assert_eq!(server.hits(), 4);
    let other = Server::fixed(ok("{}")).await;
    let server = Server::fixed(redirect_to(&other.url("/")).replace("302 Found", "307 Temporary Redirect")).await;
    let error = Client::new(Policy { redirects: 3, ..loopback() })
        .post_form(&server.url("/"), &[("vp_token", "x")])
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Redirected { .. }));
    assert_eq!(other.hits(), 0, "a presentation must not travel on");
}

#[tokio::test]
async fn headers_of_the_caller_do_not_leave_the_origin() {
    let other = Server::fixed(ok("{}")).await;
    let server = Server::fixed(redirect_to(&other.url("/"))).await;
    let request = Request::get(&server.url("/")).accept("text/plain").header("Authorization", "Bearer t").unwrap();
    Client::new(Policy { redirects: 1, ..loopback() }).send(request).await.unwrap();
    assert!(server.seen.lock().unwrap()[0].to_ascii_lowercase().contains("authorization: bearer t"));
    let second = other.seen.lock().unwrap()[0].to_ascii_lowercase();
    assert!(!second.contains("authorization") && second.contains("accept: text/plain"));
}

/// Answers each lookup with the next of its lists.
struct Script(Vec<Vec<&'static str>>, AtomicUsize);

impl Lookup for Script {
    fn lookup(&self, _name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst).min(self.0.len() - 1);
        let addresses = self.0[turn].iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        Box::pin(async move { Ok(addresses) })
    }
}

#[tokio::test]
async fn attack_43_a_name_that_resolves_inside_is_refused_at_connect_time() {
    let server = Server::fixed(ok("{}")).await;
    for inside in [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "169.254.169.254",
        "::ffff:127.0.0.1",
        "fd00::1",
        "100.64.0.1",
        "64:ff9b::7f00:1",
    ] {
        // Even with loopback allowed: the person named this name, not loopback.
        let client = Client::with_lookup(loopback(), Arc::new(Script(vec![vec![inside]], AtomicUsize::new(0))));
        let error = client.get(&format!("https://rebind.example:{}/", server.address.port())).await.unwrap_err();
        assert!(
            matches!(&error, FetchError::RefusedAddress { host } if host == "rebind.example"),
            "{inside}: {error:?}"
        );
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn attack_43_dns_rebinding_public_then_private_is_refused() {
    // The first look-up is public, the second, at the next connection, is not. Only resolved, so that no test calls a stranger.
    let resolver =
        GuardedResolver::new(Arc::new(Script(vec![vec!["8.8.8.8"], vec!["127.0.0.1"]], AtomicUsize::new(0))));
    let resolve = || reqwest::dns::Resolve::resolve(&resolver, "rebind.example".parse().unwrap());
    assert_eq!(resolve().await.unwrap().count(), 1);
    let Err(error) = resolve().await else { panic!("rebound") };
    assert!(error.is::<NoPublicAddress>());
}

#[tokio::test]
async fn attack_43_private_addresses_are_dropped_beside_public_ones() {
    let script =
        Script(vec![vec!["127.0.0.1", "8.8.8.8", "::1", "10.0.0.1", "2606:4700:4700::1111"]], AtomicUsize::new(0));
    let resolver = GuardedResolver::new(Arc::new(script));
    let kept: Vec<String> = reqwest::dns::Resolve::resolve(&resolver, "mixed.example".parse().unwrap())
        .await
        .unwrap()
        .map(|address| address.ip().to_string())
        .collect();
    assert_eq!(kept, ["8.8.8.8", "2606:4700:4700::1111"]);
}

#[tokio::test]
async fn attack_44_a_long_body_is_cut_off() {
    // 100 MB announced: refused from the header. 100 MB unannounced: refused while streaming, after little more than the limit.
    let announced = Server::fixed("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await;
    let error = Client::new(loopback()).get(&announced.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { limit: 1_048_576, .. }));

    let small = Server::fixed(ok("twelve bytes")).await;
    let request = || Request::get(&small.url("/"));
    assert_eq!(Client::new(loopback()).send(request().at_most(12)).await.unwrap().body(), b"twelve bytes");
    let error = Client::new(loopback()).send(request().at_most(11)).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { limit: 11, .. }));

    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let streamed = Server::start("127.0.0.1:0", move |_, mut stream| {
        let count = Arc::clone(&count);
        async move {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            let block = vec![b'x'; 65_536];
            while count.load(Ordering::SeqCst) < 100_000_000 && stream.write_all(&block).await.is_ok() {
                count.fetch_add(block.len(), Ordering::SeqCst);
            }
        }
    })
    .await;
    let error = Client::new(loopback()).get(&streamed.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(written.load(Ordering::SeqCst) < 20_000_000, "the rest must not have been taken");
}

#[tokio::test]
async fn attack_44_a_slow_server_is_left_in_time() {
    let policy = Policy { timeout: Duration::from_millis(600), ..loopback() };
    for head in ["", "HTTP/1.1 200 OK\r\nx-a: ", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"] {
        let server = Server::start("127.0.0.1:0", move |_, mut stream| async move {
            let _ = stream.write_all(head.as_bytes()).await;
            // One byte at a time: every single read succeeds, only the whole takes too long.
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        let started = Instant::now();
        let error = Client::new(policy.clone()).get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error, FetchError::Timeout { .. } | FetchError::Malformed { .. }), "{head:?}: {error:?}");
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[tokio::test]
async fn attack_44_redirects_do_not_extend_the_time() {
    let server = Server::start("127.0.0.1:0", |_, mut stream| async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let _ = stream.write_all(redirect_to("/again").as_bytes()).await;
    })
    .await;
    let client = Client::new(Policy { timeout: Duration::from_millis(700), redirects: 3, ..loopback() });
    let started = Instant::now();
    assert!(matches!(client.get(&server.url("/")).await, Err(FetchError::Timeout { .. })));
    assert!(started.elapsed() < Duration::from_millis(1_100));
}

#[tokio::test]
async fn attack_44_a_gzip_bomb_is_refused_unread() {
    let mut response = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n".to_vec();
    response.extend([0x1f, 0x8b, 8, 0]);
    let server = Server::fixed(response).await;
    let error = Client::new(loopback()).get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Encoded { .. }));
}

#[tokio::test]
async fn attack_44_too_many_or_too_long_headers_are_refused() {
    let many: String = (0..1_000).map(|i| format!("x-{i}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(2_000_000));
    for headers in [many, long] {
        let server = Server::fixed(format!("HTTP/1.1 200 OK\r\n{headers}content-length: 0\r\n\r\n")).await;
        let error = Client::new(loopback()).get(&server.url("/")).await.unwrap_err();
        assert!(matches!(error, FetchError::Malformed { .. } | FetchError::Unreachable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_dead_server_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::new(loopback()).get(&format!("http://{address}/code/very-secret")).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error:?}");
    assert!(error.hint().contains("running"));
    assert!(!format!("{error:?} {error}").contains("very-secret"), "no path in an error");
}

#[tokio::test]
async fn what_is_not_http_is_malformed() {
    let server = Server::fixed("SSH-2.0-OpenSSH_9.9\r\n").await;
    let error = Client::new(loopback()).get(&server.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Malformed { .. }), "{error:?}");
}
