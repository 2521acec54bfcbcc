//! Web origins (RFC 6454) and host names, read strictly.

use core::fmt;

/// A web origin in the form in which browsers write it: `scheme://host[:port]`, in lower case, without the default
/// port of the scheme (RFC 6454 section 6.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    loopback: bool,
}

impl Origin {
    /// Reads an origin: `https`, or `http` for a loopback host alone, then a host name or IP address and perhaps a
    /// port. No path, not even a slash, no user, no white space, no wildcard and no trailing dot.
    ///
    /// Letters become lower case and the default port is dropped. An IPv6 address is kept as it is written; browsers
    /// write it in the form of RFC 5952.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = split_scheme(&text)?;
        let default_port = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let (host, port) = split_port(authority)?;
        let loopback = is_loopback(host)?;
        // Anyone on the path can answer for a name reached over plain http, so it stands for nobody in particular.
        if scheme == "http" && !loopback {
            return None;
        }
        let text = match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Some(Self { text, loopback })
    }

    /// The origin of a URL: what stands before its path, query and fragment.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        let (scheme, rest) = split_scheme(url)?;
        let authority = rest.split(['/', '?', '#']).next()?;
        Self::parse(&format!("{scheme}://{authority}"))
    }

    /// The origin as browsers write it in the `Origin` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the host is this machine: `localhost`, an address of 127.0.0.0/8, or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.text)
    }
}

fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    // The colons of an IPv6 address stand within its brackets.
    let end_of_host = authority.find(']').map_or(0, |at| at + 1);
    let (inside, after) = authority.split_at_checked(end_of_host)?;
    match after.find(':') {
        None => Some((authority, None)),
        Some(at) => {
            let host = authority.get(..inside.len() + at)?;
            Some((host, Some(port(after.get(at + 1..)?)?)))
        }
    }
}

/// A port as browsers write it: no sign, no leading zero.
fn port(digits: &str) -> Option<u16> {
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if canonical { digits.parse().ok() } else { None }
}

/// Whether a host is loopback; `None` when it is not a host at all.
fn is_loopback(host: &str) -> Option<bool> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').filter(|address| is_ipv6(address))?;
        return Some(address == "::1");
    }
    if let Some([first, ..]) = ipv4(host) {
        return Some(first == 127);
    }
    is_host_name(host).then_some(host == "localhost")
}

/// An IPv4 address in the one form that browsers write: four numbers without leading zeros.
fn ipv4(host: &str) -> Option<[u8; 4]> {
    let mut parts = host.split('.').map(|part| {
        let canonical = part == "0" || !part.starts_with(['0', '+']);
        part.parse::<u8>().ok().filter(|_| canonical)
    });
    let address = [parts.next()??, parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(address)
}

/// Whether a text is an IPv6 address (RFC 4291 section 2.2), as groups alone: browsers write no trailing IPv4 part.
fn is_ipv6(text: &str) -> bool {
    let groups = |text: &str| {
        let valid = |group: &str| (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        match text {
            "" => Some(0),
            text => text.split(':').all(valid).then(|| text.split(':').count()),
        }
    };
    match text.as_bytes().windows(2).position(|pair| pair == b"::") {
        Some(at) => {
            let around = text.get(..at).and_then(groups).zip(text.get(at + 2..).and_then(groups));
            around.is_some_and(|(before, after)| before + after < 8)
        }
        None => groups(text) == Some(8),
    }
}

/// Whether a text is a host name by RFC 1034 section 3.5 as changed by RFC 1123 section 2.1: labels of letters, digits
/// and inner hyphens, 63 bytes each and 253 together, in ASCII (names in other scripts as punycode).
///
/// A name whose last label is a number is not one: URL parsers take it for an IPv4 address, `127.1` and `0x7f000001`
/// included.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(label) && !is_number(last)
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        Origin::parse(text).map(|origin| origin.as_str().to_owned())
    }

    #[test]
    fn an_origin_takes_the_form_in_which_browsers_write_it() {
        for (written, expected) in [
            ("https://example.com", "https://example.com"),
            ("HTTPS://Example.COM", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("https://example.com:80", "https://example.com:80"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://192.0.2.7", "https://192.0.2.7"),
            ("https://[2001:DB8::1]:444", "https://[2001:db8::1]:444"),
            ("http://localhost:80", "http://localhost"),
            ("http://localhost:8787", "http://localhost:8787"),
            ("http://127.8.9.1:3000", "http://127.8.9.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(read(written).as_deref(), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_not_exactly_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "example.com",
            "//example.com",
            "https:example.com",
            "https://",
            "https://example.com/",
            "https://example.com/path",
            "https://example.com?",
            "https://example.com#",
            "https://example.com.",
            "https://.example.com",
            "https://*.example.com",
            "https://user@example.com",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:+80",
            "https://example.com:0443",
            "https://example.com:65536",
            "https://example.com:44a",
            "https://example.com:1:2",
            " https://example.com",
            "https://example.com ",
            "https://b\u{fc}cher.example",
            "https://-a.example",
            "https://a_b.example",
            "https://127.1",
            "https://0x7f000001",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "https://[::1]x:80",
            "https://[127.0.0.1]",
            "https://[fe80::1%25eth0]",
            "ftp://localhost",
            "http://example.com",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://[::2]",
            "https://a]:443",
            "chrome-extension://abcdef",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_origin_of_a_url_ends_before_its_path() {
        let of = |url| Origin::of_url(url).map(|origin| origin.as_str().to_owned());
        assert_eq!(of("https://id.example/tenant?x#y").as_deref(), Some("https://id.example"));
        assert_eq!(of("http://localhost:8787/").as_deref(), Some("http://localhost:8787"));
        assert_eq!(of("http://localhost@evil.example/"), None);
        assert_eq!(of("http://localhost\\@evil.example/"), None);
        assert_eq!(of("urn:example"), None);
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for (text, loopback) in [
            ("https://localhost", true),
            ("https://127.0.0.1", true),
            ("https://127.255.255.254:9", true),
            ("https://[::1]", true),
            ("https://128.0.0.1", false),
            ("https://localhost.example", false),
            ("https://notlocalhost", false),
            ("https://[::ffff:7f00:1]", false),
        ] {
            assert_eq!(Origin::parse(text).map(|origin| origin.is_loopback()), Some(loopback), "{text}");
        }
    }

    #[test]
    fn a_host_name_is_bounded_in_its_labels_and_as_a_whole() {
        let label = "a".repeat(63);
        assert!(is_host_name(&format!("{label}.{label}.{label}.{}", "a".repeat(61))));
        assert!(!is_host_name(&format!("{label}.{label}.{label}.{}", "a".repeat(62))));
        assert!(!is_host_name(&format!("{label}a.example")));
        assert!(!is_host_name(""));
    }
}
