//! Documents from web servers, within limits, because their values decide where traffic goes.

use std::path::Path;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Host, Url};

use crate::args::Globals;
use crate::escape::escaped;
use crate::failure::{Failure, failure};
use crate::file;

/// The settings for fetching documents.
pub struct Fetcher {
    certificates: RootCerts,
    headers: Vec<(String, String)>,
    is_insecure: bool,
}

/// The longest wait for a connection, and for everything.
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);
/// The longest document, file of headers and file of certificates, in bytes. All certificates of a system are some 300 KiB.
const LONGEST: u64 = 1 << 20;
const LONGEST_HEADERS: u64 = 64 << 10;
const LONGEST_CA: u64 = 16 << 20;
/// The highest number of redirections.
const REDIRECTIONS: usize = 5;

impl Fetcher {
    pub fn new(global: &Globals) -> Result<Self, Failure> {
        let certificates = match &global.params_ca {
            None => RootCerts::PlatformVerifier,
            Some(path) => read_certificates(path).map_err(|problem| unusable("--params-ca", path, &problem))?,
        };
        let headers = match &global.params_header_file {
            None => Vec::new(),
            Some(path) => read_headers(path).map_err(|problem| unusable("--params-header-file", path, &problem))?,
        };
        Ok(Self { certificates, headers, is_insecure: global.params_insecure })
    }

    /// Fetches a document. Returns its URL as it is shown in messages, and the document.
    pub fn fetch(&self, url: &str) -> Result<(String, String), Failure> {
        let begin = Instant::now();
        let mut here = Url::parse(url).map_err(|error| failed(&format!("{}: {error}", without_secrets(url))))?;
        let (origin, name) = (here.origin(), name(&here));
        for _ in 0..=REDIRECTIONS {
            self.check(&here)?;
            let left = TOTAL.saturating_sub(begin.elapsed());
            // Headers for one server are not sent to another one.
            let headers = if here.origin() == origin { &*self.headers } else { &[] };
            let broken = |error: ureq::Error| failed(&format!("{}: {}", self::name(&here), reason(&error)));
            let mut response = self.get(&here, headers, left).map_err(broken)?;
            let status = response.status();
            if status.is_redirection() {
                here = location(&here, &response)?;
                continue;
            }
            if status.as_u16() != 200 {
                let here = self::name(&here);
                return Err(failed(&format!("{here}: the server answered {} instead of 200 OK", escaped(status))));
            }
            let body = response.body_mut().with_config().limit(LONGEST).read_to_string();
            let body = body.map_err(|error| {
                let here = self::name(&here);
                failed(&format!("{here}: {} (at most {LONGEST} bytes of UTF-8)", reason(&error)))
            })?;
            return Ok((name, body));
        }
        Err(failed(&format!("{name}: more than {REDIRECTIONS} redirections")))
    }

    /// Refuses URLs that are neither https nor http, and connections that can be changed on the way.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        let name = name(url);
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.is_insecure || is_loopback(url) => Ok(()),
            "http" => Err(failed(&format!(
                "{name}: plain HTTP to another host can be changed on the way; use https, or --params-insecure"
            ))),
            // Without a host it may be a name with a password.
            _ if url.host().is_none() => Err(failed(&format!("{name}: expected https:// or http:// and a host"))),
            scheme => {
                let scheme = escaped(scheme);
                Err(failed(&format!("{name}: unsupported protocol scheme \"{scheme}\", expected https or http")))
            }
        }
    }

    fn get(
        &self,
        url: &Url,
        headers: &[(String, String)],
        left: Duration,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let tls = TlsConfig::builder().root_certs(self.certificates.clone()).build();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT.min(left)))
            .timeout_global(Some(left.max(Duration::from_millis(1))))
            .tls_config(tls);
        if is_loopback(url) {
            config = config.proxy(None);
        }
        let mut request = Agent::new_with_config(config.build()).get(url.as_str());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.call()
    }
}

/// The target of a redirection, which may lead anywhere except from https to http.
fn location(here: &Url, response: &Response<ureq::Body>) -> Result<Url, Failure> {
    let location = response.headers().get("location").and_then(|location| location.to_str().ok());
    let location = location.ok_or_else(|| failed(&format!("{}: a redirection to nowhere", name(here))))?;
    let next = here
        .join(location)
        .map_err(|error| failed(&format!("{} leads to \"{}\": {error}", name(here), without_secrets(location))))?;
    if here.scheme() == "https" && next.scheme() != "https" {
        return Err(failed(&format!("{} leads to {}, which is not encrypted", name(here), name(&next))));
    }
    Ok(next)
}

/// Returns a URL for messages: user information, query and fragment may be secrets.
fn name(url: &Url) -> String {
    if url.host().is_none() {
        return without_secrets(url.as_str());
    }
    let mut url = url.clone();
    // A URL that cannot have user information does not have any.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    escaped(url)
}

/// The same of text that is not a valid URL, in which user information may stand anywhere.
fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let public = rest.rsplit('@').next().unwrap_or_default();
    if scheme.is_empty() || scheme.contains('@') {
        escaped(public)
    } else {
        escaped(format_args!("{scheme}://{public}"))
    }
}

/// The reason that a document could not be fetched. A broken URL, of a proxy too, stands in the message about it.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::BadUri(_) => "the URL cannot be used".to_owned(),
        error => escaped(error),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn read_certificates(path: &Path) -> Result<RootCerts, String> {
    let pem = file::read(path, LONGEST_CA).map_err(|error| error.to_string())?;
    let items = parse_pem(&pem).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let certificate = |item| if let PemItem::Certificate(certificate) = item { Some(certificate) } else { None };
    let certificates: Vec<_> = items.into_iter().filter_map(certificate).collect();
    if certificates.is_empty() {
        return Err("it does not contain a certificate".to_owned());
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Reads headers, one in each line. A line is never shown: it may be a secret.
fn read_headers(path: &Path) -> Result<Vec<(String, String)>, String> {
    let bytes = file::read(path, LONGEST_HEADERS).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_secret| "it is not text in UTF-8".to_owned())?;
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    let header = |(line, number): (&str, usize)| {
        let named = line
            .split_once(':')
            .filter(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
        let (name, value) = named.ok_or_else(|| format!("line {number} is not \"Name: value\""))?;
        Ok((name.to_owned(), value.trim().to_owned()))
    };
    lines.map(header).collect()
}

fn unusable(option: &str, path: &Path, problem: &str) -> Failure {
    failed(&format!("{option} {}: {problem}", escaped(path.display())))
}

fn failed(problem: &str) -> Failure {
    failure!(Network, "Unable to fetch parameters from url: {problem}")
}

#[cfg(test)]
mod tests;
