//! A small static file server for this machine: what `serve` and the browser tests use.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::Outcome;

/// The policy of the page as a header: that of its meta element. What only a header can say (who may
/// frame the page) is left open, since the page is made to be embedded.
fn policy(root: &Path) -> Option<String> {
    let page = fs::read_to_string(root.join("index.html")).ok()?;
    let rest = page.split_once("Content-Security-Policy")?.1;
    Some(
        rest.split_once("content=\"")?
            .1
            .split_once('"')?
            .0
            .to_owned(),
    )
}

/// The longest request line and headers that are read, in bytes.
const REQUEST_LIMIT: u64 = 64 * 1024;

/// How long a connection may stay silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of one folder.
pub struct Server {
    listener: TcpListener,
    port: u16,
    base: String,
    root: PathBuf,
}

impl Server {
    /// Listens on 127.0.0.1. Port 0 takes a free one. The folder `root` appears under the path
    /// `base`.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn bind(port: u16, base: &str, root: PathBuf) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        let inner = base.trim_matches('/');
        let base = if inner.is_empty() {
            "/".to_owned()
        } else {
            format!("/{inner}/")
        };
        Ok(Self {
            listener,
            port,
            base,
            root,
        })
    }

    /// The address of the page.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}{}", self.port, self.base)
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    ///
    /// None; a broken connection concerns nobody else.
    pub fn run(self) -> Outcome {
        thread::scope(|scope| {
            for stream in self.listener.incoming().flatten() {
                scope.spawn(|| {
                    let _ = self.connection(stream);
                });
            }
        });
        Ok(())
    }

    fn connection(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut request = String::new();
            let mut head = (&mut reader).take(REQUEST_LIMIT);
            head.read_line(&mut request)?;
            let mut header = String::new();
            while head.read_line(&mut header)? > 2 {
                header.clear();
            }
            let mut words = request.split(' ');
            let (Some(method), Some(target)) = (words.next(), words.next()) else {
                return Ok(());
            };
            let answer = match method {
                "GET" | "HEAD" => self.answer(target),
                _ => Answer::status("405 Method Not Allowed"),
            };
            stream.write_all(answer.head(policy(&self.root)).as_bytes())?;
            if method != "HEAD" {
                stream.write_all(&answer.body)?;
            }
        }
    }

    fn answer(&self, target: &str) -> Answer {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let Some(inside) = path.strip_prefix(&self.base) else {
            return Answer::status("404 Not Found");
        };
        let Some(inside) = decoded(inside).map(PathBuf::from) else {
            return Answer::status("400 Bad Request");
        };
        if inside
            .components()
            .any(|part| !matches!(part, Component::Normal(_)))
        {
            return Answer::status("404 Not Found");
        }
        let mut file = self.root.join(inside);
        if file.is_dir() {
            file = file.join("index.html");
        }
        match fs::read(&file) {
            Ok(body) => Answer {
                status: "200 OK",
                mime: mime(&file),
                body,
            },
            Err(_) => Answer::status("404 Not Found"),
        }
    }
}

struct Answer {
    status: &'static str,
    mime: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn status(status: &'static str) -> Self {
        Self {
            status,
            mime: "text/plain; charset=utf-8",
            body: format!("{status}\n").into(),
        }
    }

    fn head(&self, policy: Option<String>) -> String {
        let policy = policy.map(|policy| format!("Content-Security-Policy: {policy}\r\n"));
        format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\n{}\r\n",
            self.status,
            self.mime,
            self.body.len(),
            policy.unwrap_or_default(),
        )
    }
}

/// Undoes percent-encoding; nothing if it is malformed or not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

fn mime(file: &Path) -> &'static str {
    match file
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" => "application/json",
        "md" | "txt" | "tsv" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        let root = crate::process::root().join("xtask");
        Server::bind(0, "sub/path", root).expect("a free port")
    }

    #[test]
    fn serves_what_is_under_its_base_and_nothing_else() {
        let server = server();
        assert!(server.address().ends_with("/sub/path/"));
        assert_eq!(server.answer("/sub/path/Cargo.toml?x=1").status, "200 OK");
        for target in [
            "/Cargo.toml",
            "/sub/path/../Cargo.toml",
            "/sub/path/%2e%2e/Cargo.toml",
            "/sub/path//etc/passwd",
            "/sub/path/none",
        ] {
            assert_eq!(server.answer(target).status, "404 Not Found", "{target}");
        }
        assert_eq!(server.answer("/sub/path/%zz").status, "400 Bad Request");
    }
}
