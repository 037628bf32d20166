//! One strict origin sees exactly the requests that the proxy logged, whatever clients send.

use std::sync::{Arc, Mutex};

use crate::oracle::{self, Rest, Speaker};
use crate::support::client::Client;
use crate::support::words::simple;
use crate::support::{Mesh, server, within};

/// Requests whose pieces are cut out, doubled and swapped.
const PIECES: &[&str] = &[
    "GET /one HTTP/1.1\r\n",
    "POST /two HTTP/1.1\r\n",
    "PUT /th%72ee?q=1 HTTP/1.1\r\n",
    "GET /old HTTP/1.0\r\n",
    "host: h\r\n",
    "Host: h\r\n",
    "content-length: 5\r\n",
    "content-length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "transfer-encoding: identity\r\n",
    "connection: keep-alive\r\n",
    "connection: close\r\n",
    "expect: 100-continue\r\n",
    "x-a: b\r\n",
    "x-a : b\r\n",
    "\r\n",
    "\n",
    "hello",
    "5\r\nhello\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n",
];

/// A stream of requests with something wrong in most of them.
fn stream(rng: &mut fastrand::Rng) -> String {
    let whole = [
        "GET /a HTTP/1.1\r\nhost: h\r\n\r\n",
        "POST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello",
        "POST /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ];
    let mut text = String::new();
    for _ in 0..rng.usize(1..6) {
        if rng.u8(..) < 150 {
            text += whole[rng.usize(..whole.len())];
        } else {
            for _ in 0..rng.usize(1..7) {
                text += PIECES[rng.usize(..PIECES.len())];
            }
        }
    }
    if rng.bool() && !text.is_empty() {
        let at = rng.usize(..text.len());
        text.truncate(at);
    }
    text
}

#[tokio::test]
async fn the_origin_sees_what_was_logged() {
    // Each connection's bytes, whole.
    let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let listening = Arc::clone(&heard);
    let up = server::raw(move |mut wire, _| {
        let heard = Arc::clone(&listening);
        async move {
            let index = {
                let mut heard = heard.lock().unwrap();
                heard.push(Vec::new());
                heard.len() - 1
            };
            let mut answered = 0;
            loop {
                let bytes = heard.lock().unwrap()[index].clone();
                let (requests, rest) = oracle::read_all(&bytes, Speaker::Meshctl);
                assert!(
                    !matches!(rest, Rest::Wrong(_)),
                    "{rest:?}: {:?}",
                    bytes.escape_ascii().to_string()
                );
                for request in &requests[answered..] {
                    answered += 1;
                    let text = format!("{} {}", request.method, request.target);
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
                    if wire.write(head + &text).await.is_err() {
                        return;
                    }
                }
                match wire.fill().await {
                    Ok(read) if read > 0 => {
                        let read = std::mem::take(&mut wire.read);
                        heard.lock().unwrap()[index].extend_from_slice(&read);
                    }
                    _ => return,
                }
            }
        }
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let mesh = Mesh::of(&simple(&[&up.address])).log(log.clone()).start();
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..400 {
        let text = stream(&mut rng);
        let mut client = Client::connect(mesh.port(80)).await;
        // Both ways at once: an error may close it before all is written.
        let _ = client.wire.write(&text).await;
        client.finish().await;
        within("the connection's end", client.wire.rest()).await;
    }
    crate::support::until("the connections' end", || mesh.connections() == 0).await;
    mesh.stop().await;
    let log = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What was answered by the origin, by its own reading.
    let mut logged: Vec<String> = lines
        .iter()
        .filter(|line| line["http.response.status_code"] == 200)
        .map(|line| {
            let word = |name: &str| line[name].as_str().unwrap().to_owned();
            format!("{} {}", word("http.request.method"), word("url.path"))
        })
        .collect();
    let heard = heard.lock().unwrap();
    let mut seen: Vec<String> = heard
        .iter()
        .flat_map(|bytes| oracle::read_all(bytes, Speaker::Meshctl).0)
        .map(|request| format!("{} {}", request.method, request.target.split('?').next().unwrap()))
        .collect();
    // Whoever left before the answer was asked for nevertheless, and is logged as gone.
    let gone = lines.iter().filter(|line| line["error.type"] == "client_disconnected").count();
    logged.sort();
    seen.sort();
    assert!(logged.len() > 150, "{}", logged.len());
    let mut rest = seen.clone();
    for line in &logged {
        let at = rest.iter().position(|one| one == line);
        rest.swap_remove(at.unwrap_or_else(|| panic!("{line} was logged and never seen")));
    }
    assert!(rest.len() <= gone, "{} requests more than were logged: {rest:?}", rest.len());
}
