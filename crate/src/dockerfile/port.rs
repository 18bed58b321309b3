//! The ports of EXPOSE: `80`, `8000-8010/udp`, and the older `ip:host:container`.
//!
//! Source: BuildKit `dockerfile2llb/convert_expose.go`.

use std::net::IpAddr;

use super::golang::quote;

/// What one word of EXPOSE says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// The protocol in lower case.
    pub protocol: String,
    /// Whether the protocol is written with capitals.
    pub capital_protocol: bool,
    /// Whether an address or a host port is given, which has no meaning here.
    pub mapped: bool,
}

impl Exposed {
    /// The single ports as the image config has them: `80/tcp`.
    pub fn ports(&self) -> impl Iterator<Item = String> + '_ {
        (self.first..=self.last).map(|number| format!("{number}/{}", self.protocol))
    }
}

/// Why a word is no port, and what was seen before that came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    /// BuildKit's text.
    pub message: String,
    /// As in [`Exposed`].
    pub capital_protocol: bool,
    /// As in [`Exposed`].
    pub mapped: bool,
}

/// Reads one word of EXPOSE.
///
/// # Errors
///
/// BuildKit's text for a word that is no port.
pub fn parse_port(word: &str) -> Result<Exposed, PortError> {
    let parts: Vec<&str> = word.split(':').collect();
    let (address, host, container) = match parts.as_slice() {
        [] | [_] => (String::new(), "", word),
        [host, container] => (String::new(), *host, *container),
        [address @ .., host, container] => (address.join(":"), *host, *container),
    };
    let (port, protocol) = container.split_once('/').unwrap_or((container, ""));
    let lower = match protocol.to_lowercase() {
        lower if lower.is_empty() => "tcp".to_owned(),
        lower => lower,
    };
    let early = |what: String| PortError {
        message: format!("invalid port: {}: {what}", quote(word)),
        capital_protocol: false,
        mapped: false,
    };
    if port.is_empty() {
        return Err(early("no port specified".to_owned()));
    }
    if !["tcp", "udp", "sctp"].contains(&lower.as_str()) {
        return Err(early(format!("invalid proto: {protocol}")));
    }
    let capital_protocol = protocol != protocol.to_lowercase();
    let mapped = !address.is_empty() || !host.is_empty();
    let (first, last) = range(&address, host, port).map_err(|message| PortError {
        message,
        capital_protocol,
        mapped,
    })?;
    Ok(Exposed {
        first,
        last,
        protocol: lower,
        capital_protocol,
        mapped,
    })
}

fn range(address: &str, host: &str, port: &str) -> Result<(u16, u16), String> {
    let bare = if address.starts_with('[') {
        unbracketed(address)?
    } else {
        address
    };
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {bare}"));
    }
    let (first, last) = numbers(port).ok_or_else(|| format!("invalid containerPort: {port}"))?;
    if !host.is_empty() {
        let (from, to) = numbers(host).ok_or_else(|| format!("invalid hostPort: {host}"))?;
        if last - first != to - from && first != last {
            return Err(format!(
                "invalid ranges specified for container and host Ports: {port} and {host}"
            ));
        }
    }
    Ok((first, last))
}

/// The address in brackets, with the errors of Go's `net.SplitHostPort`.
fn unbracketed(address: &str) -> Result<&str, String> {
    let wrong = |what: &str| {
        Err(format!(
            "invalid IP address {address}: address {address}:: {what}"
        ))
    };
    match address.find(']') {
        None => wrong("missing ']' in address"),
        Some(end) if end + 1 == address.len() => match &address[1..end] {
            inner if inner.contains('[') => wrong("unexpected '[' in address"),
            inner => Ok(inner),
        },
        Some(end) if address[end + 1..].starts_with(':') => wrong("too many colons in address"),
        Some(_) => wrong("missing port in address"),
    }
}

fn numbers(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| text.parse::<i64>().ok().and_then(|n| u16::try_from(n).ok());
    match text.split_once('-') {
        None => number(text).map(|n| (n, n)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some((first, last))
        }
    }
}
