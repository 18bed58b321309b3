//! A registry on the loopback address that knows one image: what the daemon has as its mirror.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use layerwise::image::{Digest, Image};

use crate::Failure;

/// What is served, by path: media type and bytes.
type Pages = BTreeMap<String, (&'static str, Vec<u8>)>;

/// Serves `image` as `name` (`busybox:1.36`) in a thread of its own until the process ends.
///
/// # Errors
/// The port is taken; a layer whose bytes are not held.
pub fn serve(name: &str, image: &Image, port: u16) -> Result<(), Failure> {
    let (repository, tag) = name.split_once(':').unwrap_or((name, "latest"));
    let path = |kind: &str, reference: &str| format!("/v2/library/{repository}/{kind}/{reference}");
    let mut pages = Pages::from([("/v2/".into(), ("application/json", Vec::new()))]);
    let mut blob = |mime, bytes: Vec<u8>| {
        let digest = Digest::of(&bytes).to_string();
        pages.insert(path("blobs", &digest), (mime, bytes));
    };
    blob(
        "application/vnd.oci.image.config.v1+json",
        image.config_json.to_vec(),
    );
    for layer in &image.layers {
        blob("application/vnd.oci.image.layer.v1.tar", layer.tar()?);
    }
    let manifest = image.manifest().to_json_bytes();
    for reference in [tag.to_owned(), Digest::of(&manifest).to_string()] {
        let mime = "application/vnd.oci.image.manifest.v1+json";
        pages.insert(path("manifests", &reference), (mime, manifest.clone()));
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port}: {error}"))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = pages.clone();
            thread::spawn(move || connection(stream, &pages));
        }
    });
    Ok(())
}

fn connection(mut stream: TcpStream, pages: &Pages) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let mut words = request.split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let page = pages.get(target.split('?').next().unwrap_or_default());
        let (status, (mime, body)) = match page {
            Some((mime, body)) => ("200 OK", (*mime, &body[..])),
            None => ("404 Not Found", ("text/plain", &b""[..])),
        };
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n");
        head += &format!("Content-Length: {}\r\n", body.len());
        if !body.is_empty() {
            head += &format!("Docker-Content-Digest: {}\r\n", Digest::of(body));
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        if method != "HEAD" {
            stream.write_all(body)?;
        }
    }
}
