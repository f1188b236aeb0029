//! An HTTP server that answers as a test wants.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A server on a free port of this machine.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Starts a server that reads a request from each client, and then calls `answer` with the request.
    pub(crate) fn start(answer: impl Fn(&str, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (requests, ended, answer) = (Arc::default(), Arc::new(AtomicBool::new(false)), Arc::new(answer));
        let server = Self { port, requests: Arc::clone(&requests), ended: Arc::clone(&ended) };
        thread::spawn(move || {
            for client in listener.incoming().take_while(|_| !ended.load(Ordering::SeqCst)) {
                let (answer, requests) = (Arc::clone(&answer), Arc::clone(&requests));
                thread::spawn(move || {
                    let mut client = client.unwrap();
                    let request = read(&client).unwrap_or_default();
                    requests.lock().unwrap().push(request.clone());
                    // The client may be gone.
                    let _ = answer(&request, &mut client);
                });
            }
        });
        server
    }

    /// Starts a server that sends these bytes to each client, and then closes the connection.
    pub(crate) fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, client| client.write_all(&bytes))
    }

    /// Returns a URL of this server, by its address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Returns the rule that grants this server.
    pub(crate) fn rule(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the requests received so far, one text for each connection.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the server.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Reads a request with its body.
fn read(client: &TcpStream) -> io::Result<String> {
    let mut client = BufReader::new(client);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let start = request.len();
        if client.read_line(&mut request)? == 0 || &request[start..] == "\r\n" {
            break;
        }
        if let Some(value) = request[start..].strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    if request.contains("\r\ntransfer-encoding: chunked\r\n") {
        let start = request.len();
        while !(request[start..].contains("0\r\n") && request.ends_with("\r\n\r\n")) {
            if client.read_line(&mut request)? == 0 {
                break;
            }
        }
        return Ok(request);
    }
    client.take(length).read_to_string(&mut request)?;
    Ok(request)
}
