//! Documents from web servers, within limits: whoever can change one decides where traffic goes.

use std::fs;
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Host, Url};

use crate::args::Globals;
use crate::failure::{Exit, Failure};

/// How documents are fetched.
pub struct Fetcher {
    certificates: RootCerts,
    headers: Vec<(String, String)>,
    is_insecure: bool,
}

/// The longest wait for a connection, and for everything.
const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);
/// The longest document in bytes.
const LONGEST: u64 = 1 << 20;
/// How often a server may say that it is somewhere else.
const REDIRECTIONS: usize = 5;

impl Fetcher {
    pub fn new(global: &Globals) -> Result<Self, Failure> {
        let certificates = match &global.params_ca {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let pem =
                    fs::read(path).map_err(|error| failed(&format!("--params-ca {}: {error}", path.display())))?;
                let mut certificates: Vec<Certificate<'static>> = Vec::new();
                for item in parse_pem(&pem) {
                    let broken = |error| failed(&format!("--params-ca {}: {error}", path.display()));
                    if let PemItem::Certificate(certificate) = item.map_err(broken)? {
                        certificates.push(certificate);
                    }
                }
                if certificates.is_empty() {
                    return Err(failed(&format!("--params-ca {}: there is no certificate in it", path.display())));
                }
                RootCerts::new_with_certs(&certificates)
            }
        };
        let headers = match &global.params_header_file {
            None => Vec::new(),
            Some(path) => {
                let unreadable = |error| failed(&format!("--params-header-file {}: {error}", path.display()));
                read_headers(&fs::read_to_string(path).map_err(unreadable)?).map_err(|line| {
                    // The line may be a secret.
                    failed(&format!("--params-header-file {}: line {line} is not \"Name: value\"", path.display()))
                })?
            }
        };
        Ok(Self { certificates, headers, is_insecure: global.params_insecure })
    }

    /// Fetches a document.
    pub fn fetch(&self, url: &str) -> Result<String, Failure> {
        let begin = Instant::now();
        let mut here = Url::parse(url).map_err(|error| failed(&format!("{url}: {error}")))?;
        let origin = here.origin();
        for _ in 0..=REDIRECTIONS {
            self.check(&here)?;
            let left = TOTAL.saturating_sub(begin.elapsed());
            // What was meant for one server is no other server's business.
            let headers = if here.origin() == origin { &*self.headers } else { &[] };
            let mut response = self.get(&here, headers, left).map_err(|error| failed(&format!("{here}: {error}")))?;
            let status = response.status();
            if status.is_redirection() {
                let next = location(&here, &response)?;
                if here.scheme() == "https" && next.scheme() != "https" {
                    return Err(failed(&format!("{here} leads to {next}, which is not encrypted")));
                }
                here = next;
                continue;
            }
            if status.as_u16() != 200 {
                return Err(failed(&format!("{here}: the server answered {status} instead of 200 OK")));
            }
            let body = response.body_mut().with_config().limit(LONGEST).read_to_string();
            return body.map_err(|error| failed(&format!("{here}: {error} (at most {LONGEST} bytes of UTF-8)")));
        }
        Err(failed(&format!("{url}: more than {REDIRECTIONS} redirections")))
    }

    /// Refuses what is not the web, and what anybody on the way could change.
    fn check(&self, url: &Url) -> Result<(), Failure> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.is_insecure || is_loopback(url) => Ok(()),
            "http" => Err(failed(&format!(
                "{url}: plain HTTP to another host can be changed on the way; use https, or --params-insecure"
            ))),
            scheme => Err(failed(&format!("{url}: unsupported protocol scheme \"{scheme}\", expected https or http"))),
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

fn location(here: &Url, response: &Response<ureq::Body>) -> Result<Url, Failure> {
    let location = response.headers().get("location").and_then(|location| location.to_str().ok());
    let location = location.ok_or_else(|| failed(&format!("{here}: a redirection to nowhere")))?;
    here.join(location).map_err(|error| failed(&format!("{here} leads to {location}: {error}")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Reads headers, one in each line; fails with the number of the line that is none.
fn read_headers(text: &str) -> Result<Vec<(String, String)>, usize> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'));
    let header = |(line, number): (&str, usize)| {
        let (name, value) = line.split_once(':').ok_or(number)?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        is_name.then(|| (name.to_owned(), value.trim().to_owned())).ok_or(number)
    };
    lines.map(header).collect()
}

fn failed(problem: &str) -> Failure {
    Failure::new(Exit::Network, format!("Unable to fetch parameters from url: {problem}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// A web server on this host that gives these answers, one for each request. Returns its address, and what it was
    /// asked once it is through.
    fn server(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let request: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                sender.send(request.join("\n").to_lowercase()).unwrap();
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        (address, receiver)
    }

    fn answer(status: &str, header: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
    }

    fn fetch(fetcher: &Fetcher, url: &str) -> Result<String, String> {
        fetcher.fetch(url).map_err(|failure| {
            assert_eq!(failure.exit, Exit::Network);
            failure.message
        })
    }

    fn plain() -> Fetcher {
        Fetcher::new(&Globals::default()).unwrap()
    }

    #[test]
    fn document_is_fetched() {
        let (address, asked) = server(vec![answer("200 OK", "", "port: 80\n")]);
        assert_eq!(fetch(&plain(), &format!("{address}/a?b=c")).as_deref(), Ok("port: 80\n"));
        assert!(asked.recv().unwrap().starts_with("get /a?b=c http/1.1"));
    }

    #[test]
    fn nothing_but_200_is_a_document() {
        for status in ["404 Not Found", "500 Oh no", "204 No Content", "206 Partial Content"] {
            let (address, _asked) = server(vec![answer(status, "", "port: 80\n")]);
            let error = fetch(&plain(), &address).unwrap_err();
            assert!(error.contains(&format!("answered {}", &status[..3])), "{error}");
        }
    }

    #[test]
    fn redirections_are_followed_five_times() {
        let redirection = |to: &str| answer("302 Found", &format!("location: {to}\r\n"), "");
        let (address, _asked) = server([vec![redirection("../x"); 5], vec![answer("200 OK", "", "a: b")]].concat());
        assert_eq!(fetch(&plain(), &format!("{address}/y/z")).as_deref(), Ok("a: b"));
        let (address, _asked) = server(vec![redirection("/x"); 6]);
        assert!(fetch(&plain(), &address).unwrap_err().ends_with("more than 5 redirections"));
        let (address, _asked) = server(vec![redirection("http://192.0.2.1/")]);
        assert!(
            fetch(&plain(), &address).unwrap_err().contains("192.0.2.1/: plain HTTP"),
            "the way out is no way around"
        );
    }

    #[test]
    fn headers_go_to_the_first_server_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("headers");
        fs::write(&path, "# secret\nX-Token: abc: def \n\n").unwrap();
        let global = Globals { params_header_file: Some(path.clone()), ..Globals::default() };
        let fetcher = Fetcher::new(&global).unwrap();
        let (second, asked_second) = server(vec![answer("200 OK", "", "a: b")]);
        let (first, asked_first) = server(vec![answer("301 Moved", &format!("location: {second}\r\n"), "")]);
        assert_eq!(fetch(&fetcher, &first).as_deref(), Ok("a: b"));
        assert!(asked_first.recv().unwrap().contains("x-token: abc: def"));
        assert!(!asked_second.recv().unwrap().contains("x-token"));

        fs::write(&path, "X-Token abc\n").unwrap();
        let failure = Fetcher::new(&global).err().unwrap();
        assert!(failure.message.ends_with("line 1 is not \"Name: value\""), "{}", failure.message);
    }

    #[test]
    fn long_documents_are_refused() {
        let longest = usize::try_from(LONGEST).unwrap();
        let (address, _asked) = server(vec![answer("200 OK", "", &"x".repeat(longest + 1))]);
        assert!(fetch(&plain(), &address).unwrap_err().contains("at most 1048576 bytes"));
    }

    #[test]
    fn plain_http_to_other_hosts_takes_permission() {
        for url in ["http://192.0.2.1/", "http://example.com/", "http://[2001:db8::1]/", "http://localhost.example/"] {
            assert!(fetch(&plain(), url).unwrap_err().contains("--params-insecure"), "{url}");
        }
        let insecure = Fetcher { is_insecure: true, ..plain() };
        assert!(insecure.check(&Url::parse("http://192.0.2.1/").unwrap()).is_ok());
        for url in ["http://localhost/", "http://127.9.9.9/", "http://[::1]/", "https://example.com/"] {
            assert!(plain().check(&Url::parse(url).unwrap()).is_ok(), "{url}");
        }
        for url in ["file:///etc/passwd", "ftp://example.com/", "no url"] {
            assert!(fetch(&insecure, url).is_err(), "{url}");
        }
    }

    #[test]
    fn closed_port_and_broken_certificates_are_said() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(fetch(&plain(), &format!("http://{closed}/")).unwrap_err().contains("refused"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, "no certificate").unwrap();
        let failure = Fetcher::new(&Globals { params_ca: Some(path), ..Globals::default() }).err().unwrap();
        assert!(failure.message.ends_with("there is no certificate in it"), "{}", failure.message);
    }
}
