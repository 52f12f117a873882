//! Packages of Debian: reading the system's apt sources, and downloads from other suites that leave the system alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// One `deb` entry of the system's sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub uri: String,
    pub suite: String,
    pub components: Vec<String>,
    pub signed_by: Option<String>,
}

/// Every enabled binary source of the system, in both notations that apt reads.
pub fn system_sources() -> Vec<Source> {
    let root = Path::new("/etc/apt");
    let mut files = vec![root.join("sources.list")];
    if let Ok(folder) = fs::read_dir(root.join("sources.list.d")) {
        let mut parts: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
        parts.sort();
        files.extend(parts);
    }
    let mut sources = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => sources.extend(parse_list(&text)),
            Some("sources") => sources.extend(parse_deb822(&text)),
            _ => {}
        }
    }
    sources
}

/// `deb [options] URI SUITE COMPONENT…`, one to a line.
pub fn parse_list(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(mut rest) = line.strip_prefix("deb ").map(str::trim_start) else {
            continue;
        };
        let mut signed_by = None;
        if let Some((options, after)) = rest.strip_prefix('[').and_then(|bracket| bracket.split_once(']')) {
            signed_by =
                options.split_whitespace().find_map(|option| option.strip_prefix("signed-by=")).map(str::to_owned);
            rest = after.trim_start();
        }
        let mut words = rest.split_whitespace().map(str::to_owned);
        if let (Some(uri), Some(suite)) = (words.next(), words.next()) {
            sources.push(Source { uri, suite, components: words.collect(), signed_by });
        }
    }
    sources
}

/// Paragraphs of `Field: value`, with continued lines indented.
pub fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for paragraph in lines.split(|line| line.trim().is_empty()) {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in paragraph {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let field = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let words =
            |name: &str| field(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        if field("enabled") == Some("no") || !words("types").iter().any(|kind| kind == "deb") {
            continue;
        }
        // The key itself may stand here instead of the name of its file.
        let signed_by = field("signed-by").filter(|value| value.starts_with('/')).map(str::to_owned);
        for uri in words("uris") {
            for suite in words("suites") {
                sources.push(Source {
                    uri: uri.clone(),
                    suite,
                    components: words("components"),
                    signed_by: signed_by.clone(),
                });
            }
        }
    }
    sources
}

/// The mirror that this Debian system itself uses, for its own release.
pub fn own_mirror<'a>(sources: &'a [Source], release: &Release) -> Option<&'a Source> {
    if release.id != "debian" {
        return None;
    }
    sources.iter().find(|source| {
        source.components.iter().any(|name| name == "main")
            && [release.codename.as_str(), "stable", "testing", "sid", "unstable"].contains(&source.suite.as_str())
    })
}

/// The system of `/etc/os-release`.
pub struct Release {
    pub id: String,
    pub codename: String,
}

impl Release {
    pub fn of_this_system() -> Self {
        Self::parse(&fs::read_to_string("/etc/os-release").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|value| value.trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        Self { id: value("ID"), codename: value("VERSION_CODENAME") }
    }
}

/// One suite of a Debian mirror with lists and caches of its own, so that nothing of the system changes and no
/// privileges are needed.
pub struct Suite {
    folder: PathBuf,
    name: String,
}

impl Suite {
    /// `folder` is created and holds nothing but this suite's lists.
    pub fn open(folder: &Path, mirror: &Source, suite: &str) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("sources.list"), source_line(mirror, suite))?;
        let this = Self { folder: folder.to_owned(), name: suite.to_owned() };
        this.run("apt-get", &["update"], folder)?;
        Ok(this)
    }

    /// The packages that `package` depends on, alternatives included.
    pub fn dependencies(&self, package: &str) -> Result<Vec<String>> {
        let output = self.run("apt-cache", &["depends", "--important", package], &self.folder)?;
        Ok(parse_depends(&output))
    }

    pub fn download(&self, packages: &[String], into: &Path) -> Result<()> {
        let mut arguments = vec!["download"];
        arguments.extend(packages.iter().map(String::as_str));
        self.run("apt-get", &arguments, into)?;
        Ok(())
    }

    fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> Result<String> {
        let option = |name: &str, path: &str| {
            let path = std::path::absolute(self.folder.join(path)).unwrap_or_else(|_| self.folder.join(path));
            format!("{name}={}", path.display())
        };
        let output = Command::new(program)
            .args(["-o", &option("Dir::Etc::sourcelist", "sources.list")])
            .args(["-o", "Dir::Etc::sourceparts=-"])
            .args(["-o", &option("Dir::State::lists", "lists")])
            .args(["-o", &option("Dir::Cache", "cache")])
            .args(["-o", "Acquire::Languages=none"])
            .args(["-o", "Acquire::Retries=3"])
            // Root's apt drops to a user who may not write into our folder.
            .args(["-o", "APT::Sandbox::User=root"])
            .args(arguments)
            .current_dir(folder)
            .env("LC_ALL", "C")
            .output()
            .with_context(|| format!("running {program}"))?;
        if !output.status.success() {
            bail!(
                "{program} {} failed for Debian's suite {}:\n{}",
                arguments.join(" "),
                self.name,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn source_line(mirror: &Source, suite: &str) -> String {
    let keyring = mirror.signed_by.clone().unwrap_or_else(|| ARCHIVE_KEYRING.to_owned());
    let options = if Path::new(&keyring).exists() {
        format!("[signed-by={keyring}] ")
    } else {
        // Older systems keep the archive's keys where apt finds them by itself.
        String::new()
    };
    format!("deb {options}{} {suite} main\n", mirror.uri)
}

fn parse_depends(output: &str) -> Vec<String> {
    output
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '|']).split_once("epends: "))
        .map(|(_, package)| package.trim().to_owned())
        .filter(|package| !package.starts_with('<'))
        .collect()
}

/// The archive's keys in Debian's package `debian-archive-keyring`.
pub const ARCHIVE_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_sources() {
        let text = "\
# a comment
deb http://mirror.example/debian bookworm main contrib # trailing
deb [arch=amd64 signed-by=/usr/share/keyrings/a.gpg] https://mirror.example/debian bookworm-updates main
deb-src http://mirror.example/debian bookworm main
";
        let sources = parse_list(text);
        assert_eq!(sources.len(), 2);
        assert_eq!(sources[0].uri, "http://mirror.example/debian");
        assert_eq!(sources[0].components, ["main", "contrib"]);
        assert_eq!(sources[1].suite, "bookworm-updates");
        assert_eq!(sources[1].signed_by.as_deref(), Some("/usr/share/keyrings/a.gpg"));
    }

    #[test]
    fn deb822_sources() {
        let text = "\
Types: deb deb-src
# a remark inside
URIs: http://mirror.example/debian
Suites: trixie
 trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://other.example/
Suites: x
Components: main
Enabled: no

Types: deb
URIs: http://embedded.example/
Suites: y
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----
";
        let sources = parse_deb822(text);
        assert_eq!(sources.len(), 3);
        assert_eq!(sources[0].suite, "trixie");
        assert_eq!(sources[1].suite, "trixie-updates");
        assert_eq!(sources[2].signed_by, None);
    }

    #[test]
    fn the_own_mirror_is_the_one_of_the_own_release() {
        let sources = parse_list(
            "deb http://vendor.example/apt stable other\n\
             deb http://security.example/ bookworm-security main\n\
             deb http://mirror.example/debian bookworm main\n",
        );
        let debian = Release::parse("ID=debian\nVERSION_CODENAME=bookworm\n");
        assert_eq!(
            own_mirror(&sources, &debian).map(|source| source.uri.as_str()),
            Some("http://mirror.example/debian")
        );
        let ubuntu = Release::parse("ID=ubuntu\nVERSION_CODENAME=\"noble\"\n");
        assert_eq!(ubuntu.codename, "noble");
        assert_eq!(own_mirror(&sources, &ubuntu), None);
    }

    #[test]
    fn dependencies_without_virtual_packages() {
        let output = "\
linux-image-7-cloud-amd64
  PreDepends: linux-base
 |Depends: dracut
  Depends: <linux-initramfs-tool>
    dracut
  Depends: linux-modules-7-cloud-amd64
";
        assert_eq!(parse_depends(output), ["linux-base", "dracut", "linux-modules-7-cloud-amd64"]);
    }
}
