//! What strangers send.

use crate::support::{World, code, keys, refusal, refused};
use issuer::service::{Bounds, Limits};
use reqwest::StatusCode;
use schemas::openid4vci::PRE_AUTHORIZED_CODE_GRANT;
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn attack_44_a_slow_loris_is_shown_the_door_and_others_are_served() {
    let bounds = Bounds { connections: 8, head: Duration::from_millis(400), ..Bounds::default() };
    let world = World::with("", Limits::default(), bounds).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(b"POST /token HTTP/1.1\r\nHost: x\r\nX-").await.unwrap();
        slow.push(stream);
    }
    // All seats are taken; this one is served when they are free again.
    let began = Instant::now();
    world.nonce().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    for mut stream in slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a connection that sends no request stays open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_44_a_connection_lives_only_so_long() {
    let life = Duration::from_millis(300);
    let bounds = Bounds { life, farewell: Duration::from_millis(300), ..Bounds::default() };
    let world = World::with("", Limits::default(), bounds).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a body that never comes keeps its connection open");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_44_a_large_body_is_refused_before_it_is_read() {
    let world = World::new().await;
    for path in ["/token", "/credential"] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
    // In pieces, so that no length announces it.
    let piece = vec![b'a'; 64 * 1024];
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    for _ in 0..8 {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap();
    assert!(read.is_err() || &answer == b"HTTP/1.1 413", "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_44_a_compressed_body_is_never_inflated() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..256 {
        bomb.write_all(&[b' '; 65_536]).unwrap();
    }
    let request = world.http.post(format!("{}/credential", world.url)).bearer_auth(&token);
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    let response = request.body(bomb.finish().unwrap()).send().await.unwrap();
    assert_eq!(refusal(response).await, refused(400, "invalid_credential_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_16_deep_nesting_is_refused() {
    let world = World::new().await;
    let token = world.token(&world.offer()).await;
    let deep = format!("{{\"proofs\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let request = world.http.post(format!("{}/credential", world.url)).bearer_auth(&token);
    let response = request.header("content-type", "application/json").body(deep).send().await.unwrap();
    assert_eq!(refusal(response).await, refused(400, "invalid_credential_request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_56_what_people_are_called_stays_what_it_is() {
    let world = World::new().await;
    for text in ["{{7*7}}", "${7*7}", "=cmd|' /C calc'!A0", "<svg onload=alert(1)>", "%0d%0aSet-Cookie: x"] {
        let claims = json!({"given_name": text, "family_name": "x"});
        let offered = world.offer_claims("identity", claims, |_| {});
        let copies = world.receive(&offered, &keys(1, text.len() as u64 + 70)).await;
        assert_eq!(world.verify(&copies[0]).claims()["given_name"], text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_58_members_that_we_do_not_know_do_nothing() {
    let world = World::new().await;
    let offered = world.offer_with(|order| order.count = 1);
    let code = code(&offered);
    let form = [
        ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
        ("pre-authorized_code", code.as_str()),
        ("tx_code", offered.tx_code.as_str()),
        ("tenant_id", "2"),
        ("role", "admin"),
        ("count", "30"),
        ("expires_in", "999999"),
        ("scope", "attestation"),
    ];
    let answer: Value = world.post_form("/token", &form).await.json().await.unwrap();
    assert_eq!(answer["expires_in"], 300);
    let token = answer["access_token"].as_str().unwrap();
    let body = json!({
        "credential_configuration_id": "identity", "tenant_id": 2, "role": "admin", "count": 30,
        "claims": {"given_name": "Mallory"}, "vct": "urn:amparo:attestation:1", "valid": 999_999_999,
        "proofs": {"jwt": world.proofs(&world.nonce().await, &keys(3, 80))},
    });
    let answer: Value = world.request(token, &body).await.json().await.unwrap();
    let credentials = answer["credentials"].as_array().unwrap();
    assert_eq!(credentials.len(), 1);
    let credential = world.verify(credentials[0]["credential"].as_str().unwrap());
    assert_eq!(credential.claims()["given_name"], "Ana María");
    assert_eq!(credential.vct(), "urn:amparo:identity:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_59_every_string_is_only_a_string() {
    let world = World::new().await;
    let offered = world.offer();
    let code = code(&offered);
    for text in [
        "' OR '1'='1",
        "'; DROP TABLE offers; --",
        "\" OR 1=1 --",
        "\0",
        "%",
        "_",
        "1' UNION SELECT sealed FROM offers --",
    ] {
        let grant = ("grant_type", PRE_AUTHORIZED_CODE_GRANT);
        let form = [grant, ("pre-authorized_code", text), ("tx_code", text)];
        assert_eq!(refusal(world.post_form("/token", &form).await).await, refused(400, "invalid_grant"), "{text}");
        let form = [grant, ("pre-authorized_code", code.as_str()), ("tx_code", text), ("authorization_details", text)];
        let answer = refusal(world.post_form("/token", &form).await).await;
        assert_eq!(answer, refused(400, "invalid_authorization_details"), "{text}");
        if let Ok(header) = reqwest::header::HeaderValue::from_str(&format!("Bearer {text}")) {
            let request = world.http.post(format!("{}/credential", world.url)).header("authorization", header);
            assert_eq!(request.json(&json!({})).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        }
        assert!(issuer::secret::Handle::parse(text).is_err());
    }
    let token = world.token(&offered).await;
    for text in ["' OR '1'='1", "'; DROP TABLE tokens; --"] {
        let body = json!({"credential_configuration_id": text, "proofs": {"jwt": [text]}});
        let answer = refusal(world.request(&token, &body).await).await;
        assert_eq!(answer, refused(400, "unknown_credential_configuration"));
    }
    let name = "Robert'); DROP TABLE entries; --";
    let offered = world.offer_claims("identity", json!({"given_name": name, "family_name": "x"}), |_| {});
    let copies = world.receive(&offered, &keys(1, 81)).await;
    assert_eq!(world.verify(&copies[0]).claims()["given_name"], name);
}

#[tokio::test(flavor = "multi_thread")]
async fn attack_60_the_limit_holds_whatever_the_peer_says_of_itself() {
    let limits = Limits { per_peer: 20, ..Limits::default() };
    let world = World::with("", limits, Bounds::default()).await;
    let mut statuses = Vec::new();
    for n in 0..40u8 {
        let request = world.http.post(format!("{}/nonce", world.url));
        let response = request
            .header("x-forwarded-for", format!("198.51.100.{n}"))
            .header("forwarded", format!("for=198.51.100.{n}"));
        let response = response.send().await.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            assert!(response.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() >= 1);
        }
        statuses.push(response.status().as_u16());
    }
    let served = statuses.iter().filter(|s| **s == 200).count();
    assert!((20..=25).contains(&served), "{served} of 40 served");
}
