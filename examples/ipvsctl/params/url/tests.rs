use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::failure::Exit;

/// A web server on this host that gives these answers, one for each request. Returns its address, and the requests that
/// it received once it is done.
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
    fetcher.fetch(url).map(|(_, text)| text).map_err(|failure| {
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
    assert!(fetch(&plain(), &address).unwrap_err().contains("192.0.2.1/: plain HTTP"), "the way out is no way around");
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
fn messages_have_no_secrets_of_urls() {
    for (text, expected) in [
        ("https://user:secret@example.com/a/@b?token=secret#secret", "https://example.com/a/@b"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ("https:user:secret@example.com", "https://example.com/"),
        ("user:secret@example.com", "example.com"),
    ] {
        assert_eq!(name(&Url::parse(text).unwrap()), expected);
    }
    for (text, expected) in [
        ("https://user:secret@[2001:db8::1]:99999/?secret", "https://[2001:db8::1]:99999/"),
        ("https://user:sec/ret@example.com/", "https://example.com/"),
        ("secret@https://example.com", "example.com"),
        ("\u{1b}[2J", "\\u{1b}[2J"),
    ] {
        assert!(Url::parse(text).is_err(), "{text}");
        assert_eq!(without_secrets(text), expected);
    }

    let secret = |address: &str| address.replace("http://", "http://user:secret@") + "/doc?token=secret#secret";
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let not_found = server(vec![answer("404 Not Found", "", "")]).0;
    let elsewhere = |to: &str| server(vec![answer("302 Found", &format!("location: {to}\r\n"), "")]).0;
    let broken = elsewhere("http://user:secret@host:99999/?token=secret");
    let far = elsewhere("http://user:secret@192.0.2.1/?token=secret");
    let file = elsewhere("file://user:secret@x/?token=secret");
    let long = elsewhere(&format!("http://{}:99999/", "x".repeat(5000)));
    let urls = [format!("http://{closed}"), not_found, broken, far, file, long].map(|address| secret(&address));
    let others = ["https://user:secret@host:99999/?secret", "ftp://user:secret@host/?secret", "user:secret@host"]
        .map(str::to_owned);
    for url in urls.iter().chain(&others) {
        let error = fetch(&plain(), url).unwrap_err();
        assert!(!error.contains("secret") && !error.contains("user"), "{error}");
        assert!(error.len() < 1000, "{error}");
    }
    let (address, _asked) = server(vec![answer("200 OK", "", "a: b")]);
    let (name, _) = plain().fetch(&secret(&address)).unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(name, format!("{address}/doc"));
}

#[test]
fn source_of_values_is_named_without_secrets() {
    use ipvs_rs::desired::params::Resolver;

    let (address, _asked) = server(vec![answer("200 OK", "", "a: b"), answer("200 OK", "", "- a")]);
    let url = address.replace("http://", "http://user:secret@") + "/doc?token=secret";
    let global = Globals { params_url: vec![url], ..Globals::default() };
    let chain = crate::params::resolver(&global, &[]).unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(chain.describe(), format!("parameters of {address}/doc"));
    let failure = crate::params::resolver(&global, &[]).err().unwrap();
    assert_eq!(
        failure.message,
        format!("--params-url {address}/doc must be JSON or YAML: expected a mapping, found a list")
    );
}

#[test]
fn files_beside_documents_are_regular_and_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for (length, is_read) in [(LONGEST_HEADERS, true), (LONGEST_HEADERS + 1, false)] {
        fs::write(&path, "\n".repeat(usize::try_from(length).unwrap())).unwrap();
        let global = Globals { params_header_file: Some(path.clone()), ..Globals::default() };
        assert_eq!(Fetcher::new(&global).is_ok(), is_read, "{length}");
    }
    let zero = || Some("/dev/zero".into());
    for global in [
        Globals { params_header_file: zero(), ..Globals::default() },
        Globals { params_ca: zero(), ..Globals::default() },
    ] {
        let message = Fetcher::new(&global).err().unwrap().message;
        assert!(message.ends_with("/dev/zero: expected a regular file, found a device"), "{message}");
    }
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
fn closed_port_and_broken_certificates_are_reported() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(fetch(&plain(), &format!("http://{closed}/")).unwrap_err().contains("refused"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::write(&path, "no certificate").unwrap();
    let failure = Fetcher::new(&Globals { params_ca: Some(path), ..Globals::default() }).err().unwrap();
    assert!(failure.message.ends_with("it does not contain a certificate"), "{}", failure.message);
}
