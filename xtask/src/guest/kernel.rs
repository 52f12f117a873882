//! Real kernels: Debian's packages for virtual machines, downloaded and unpacked, never installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::apt::{self, Release, Source, Suite};
use crate::progress::Progress;
use crate::workspace::find_program;

/// The kernels that everything is tested with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Version {
    /// The oldest that we promise to work with
    #[value(name = "6.1")]
    V6_1,
    /// The long-term kernel in between
    #[value(name = "6.12")]
    V6_12,
    /// The newest
    #[value(name = "7")]
    V7,
}

impl Version {
    pub const ALL: [Self; 3] = [Self::V6_1, Self::V6_12, Self::V7];

    pub fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::V7 => "7",
        }
    }

    /// The suites of Debian that have it, the one with the shortest list first.
    fn suites(self) -> &'static [&'static str] {
        match self {
            Self::V6_1 => &["bookworm"],
            Self::V6_12 => &["bookworm-backports", "trixie"],
            Self::V7 => &["trixie-backports", "sid"],
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An unpacked kernel.
pub struct Kernel {
    pub version: Version,
    /// The release of `uname -r` in the guest.
    pub release: String,
    folder: PathBuf,
}

impl Kernel {
    /// The kernel from `cache`, downloaded first if it is not there.
    pub fn provide(version: Version, cache: &Path, progress: &Progress) -> Result<Self> {
        let folder = cache.join(format!("kernel-{version}"));
        if !folder.join(RELEASE).exists() {
            fetch(version, cache, &folder, progress).with_context(|| format!("getting Linux {version}"))?;
        }
        let release =
            fs::read_to_string(folder.join(RELEASE)).with_context(|| format!("reading {}", folder.display()))?;
        Ok(Self { version, release, folder })
    }

    /// The compressed kernel, as QEMU boots it.
    pub fn image(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// The folder with `modules.dep` and `kernel/`.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules").join(&self.release)
    }
}

fn fetch(version: Version, cache: &Path, folder: &Path, progress: &Progress) -> Result<()> {
    let mirror = mirror()?;
    fs::create_dir_all(cache)?;
    let work = tempfile::Builder::new().prefix("download-").tempdir_in(cache)?;
    let packages = download(version, &mirror, work.path(), progress)?;

    progress.step(&format!("unpacking {packages}"));
    let unpacked = work.path().join("unpacked");
    for package in files_with_suffix(work.path(), ".deb")? {
        run(Command::new("dpkg").arg("-x").arg(&package).arg(&unpacked))?;
    }
    let kernel = work.path().join("kernel");
    let release = arrange(&unpacked, &kernel)?;
    run(administrator("depmod").arg("-b").arg(&kernel).arg(&release))?;
    // Written last: a folder without it is not complete.
    fs::write(kernel.join(RELEASE), &release)?;
    if let Err(error) = fs::rename(&kernel, folder) {
        // Another run may have been quicker; an unfinished folder cannot be there, because it comes by renaming.
        if !folder.join(RELEASE).exists() {
            return Err(error).with_context(|| format!("creating {}", folder.display()));
        }
    }
    Ok(())
}

/// The mirror of Debian's packages: the system's own, or that of the user.
fn mirror() -> Result<Source> {
    if let Ok(uri) = std::env::var(MIRROR) {
        if !Path::new(apt::ARCHIVE_KEYRING).exists() {
            bail!("{} is missing: install the package debian-archive-keyring", apt::ARCHIVE_KEYRING);
        }
        return Ok(Source { uri, suite: String::new(), components: Vec::new(), signed_by: None });
    }
    let release = Release::of_this_system();
    let sources = apt::system_sources();
    apt::own_mirror(&sources, &release).cloned().with_context(|| {
        format!(
            "kernels are Debian packages, and this system's apt sources name no Debian mirror. \
             Set {MIRROR} to the address of one (and install apt, dpkg and debian-archive-keyring)"
        )
    })
}

/// Downloads the packages of a kernel and names the main one.
fn download(version: Version, mirror: &Source, work: &Path, progress: &Progress) -> Result<String> {
    let mut tried = Vec::new();
    for suite_name in version.suites() {
        progress.step(&format!("looking for Linux {version} in Debian's {suite_name}"));
        let lists = work.join(format!("apt-{suite_name}"));
        let found =
            Suite::open(&lists, mirror, suite_name).and_then(|suite| Ok((suite.dependencies(META_PACKAGE)?, suite)));
        let (dependencies, suite) = match found {
            Ok(found) => found,
            Err(error) => {
                tried.push(format!("{suite_name}: {error:#}"));
                continue;
            }
        };
        let image = dependencies.into_iter().find(|package| is_image_of(package, version));
        let Some(image) = image else {
            tried.push(format!("{suite_name}: its {META_PACKAGE} is another version"));
            continue;
        };
        // Newer kernels come in several packages: the image is empty and depends on the binary and the modules.
        let mut packages = vec![image.clone()];
        packages.extend(suite.dependencies(&image)?.into_iter().filter(|package| is_part_of(package, &image)));
        progress.step(&format!("downloading {image}"));
        suite.download(&packages, work)?;
        return Ok(image);
    }
    bail!("no such kernel in Debian's archive:\n  {}", tried.join("\n  "))
}

fn is_image_of(package: &str, version: Version) -> bool {
    package
        .strip_prefix("linux-image-")
        .and_then(|rest| rest.strip_prefix(version.name()))
        .is_some_and(|rest| rest.starts_with('.'))
}

fn is_part_of(package: &str, image: &str) -> bool {
    image.strip_prefix("linux-image").is_some_and(|version| package.starts_with("linux-") && package.ends_with(version))
}

/// Brings an unpacked package, old or new layout, into ours; returns the kernel's release.
fn arrange(unpacked: &Path, kernel: &Path) -> Result<String> {
    let modules = ["usr/lib/modules", "lib/modules"]
        .map(|path| unpacked.join(path))
        .into_iter()
        .find(|path| path.is_dir())
        .context("the package has no modules")?;
    let mut releases =
        fs::read_dir(&modules)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<Vec<_>>();
    let release = releases.pop().context("the package has no modules")?;

    fs::create_dir_all(kernel.join("usr/lib/modules"))?;
    std::os::unix::fs::symlink("usr/lib", kernel.join("lib"))?;
    let image = [unpacked.join(format!("boot/vmlinuz-{release}")), modules.join(&release).join("vmlinuz")]
        .into_iter()
        .find(|path| path.is_file())
        .context("the package has no kernel")?;
    fs::rename(image, kernel.join("vmlinuz"))?;
    fs::rename(modules.join(&release), kernel.join("usr/lib/modules").join(&release))?;
    Ok(release)
}

fn files_with_suffix(folder: &Path, suffix: &str) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    files.sort();
    Ok(files)
}

/// A program that an ordinary user may run but does not have on the `PATH`.
pub fn administrator(program: &str) -> Command {
    Command::new(find_program(program).unwrap_or_else(|| program.into()))
}

/// Runs a command to its end; what it printed is part of the error.
pub fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("running {program}"))?;
    if !output.status.success() {
        bail!("{program} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}

/// The smallest of Debian's kernels that has all of IPVS.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// The file that says which release a folder holds, and that it is complete.
const RELEASE: &str = "release";

/// Names a Debian mirror on systems that are not Debian.
const MIRROR: &str = "IPVS_RS_DEBIAN_MIRROR";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_told_apart_by_version() {
        let image = "linux-image-6.1.0-56-cloud-amd64";
        assert!(is_image_of(image, Version::V6_1));
        assert!(!is_image_of(image, Version::V6_12));
        assert!(!is_image_of("linux-image-6.12.9+deb13-cloud-amd64", Version::V6_1));
        assert!(is_image_of("linux-image-7.2.13+deb14-cloud-amd64", Version::V7));
        assert!(!is_image_of("linux-base-cloud-amd64", Version::V7));
    }

    #[test]
    fn parts_carry_the_version_of_the_image() {
        let image = "linux-image-7.2.13+deb14-cloud-amd64";
        assert!(is_part_of("linux-modules-7.2.13+deb14-cloud-amd64", image));
        assert!(is_part_of("linux-binary-7.2.13+deb14-cloud-amd64", image));
        assert!(!is_part_of("linux-base", image));
        assert!(!is_part_of("dracut", image));
    }

    #[test]
    fn both_layouts_of_packages_are_arranged_alike() {
        for (image, modules) in
            [("boot/vmlinuz-9.9", "lib/modules/9.9"), ("usr/lib/modules/9.9/vmlinuz", "usr/lib/modules/9.9")]
        {
            let folder = tempfile::tempdir().unwrap();
            let unpacked = folder.path().join("unpacked");
            fs::create_dir_all(unpacked.join(modules).join("kernel")).unwrap();
            fs::create_dir_all(unpacked.join("boot")).unwrap();
            fs::write(unpacked.join(image), "kernel").unwrap();
            let kernel = folder.path().join("kernel");
            assert_eq!(arrange(&unpacked, &kernel).unwrap(), "9.9");
            assert!(kernel.join("vmlinuz").is_file());
            assert!(kernel.join("lib/modules/9.9/kernel").is_dir());
        }
    }
}
