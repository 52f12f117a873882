//! The guest's root: a base that is the same for every run of a kernel, and a layer with what one run needs.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cpio::Archive;
use super::kernel::{Kernel, administrator, run};
use super::modules::{Modules, WANTED};
use super::packages::{self, Tool};
use super::tree::{MERGED, Tree, utf8};
use crate::progress::Progress;
use crate::workspace::find_program;

/// The base archive of a kernel, and what is in it.
pub struct Base {
    archive: PathBuf,
    tree: Tree,
}

impl Base {
    /// The base from `cache`, made anew if anything in it has changed.
    pub fn provide(kernel: &Kernel, cache: &Path, progress: &Progress) -> Result<Self> {
        let tools = packages::guest_tools();
        packages::provide(&tools, progress)?;
        let busybox = find_program("busybox").context("busybox is gone")?;
        let applets = applets(&busybox)?;
        let mut tree = Tree::default();
        skeleton(&mut tree);
        for tool in &tools {
            add_tool(&mut tree, tool)?;
        }
        tree.symlink("usr/bin/sh", "dash");
        for name in ["modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod"] {
            tree.symlink(&format!("usr/sbin/{name}"), "../bin/kmod");
        }
        for applet in applets {
            // A real program is better than busybox's version of it, and modprobe must be one that knows the kernel.
            let taken = ["usr/bin", "usr/sbin"].iter().any(|folder| tree.contains(&format!("{folder}/{applet}")));
            if !taken {
                tree.symlink(&format!("usr/bin/{applet}"), "busybox");
            }
        }

        let archive = cache.join(format!("base-{}.cpio", kernel.version));
        let manifest_file = archive.with_extension("manifest");
        let manifest = format!("{}\n{WANTED:?}\n{}", kernel.release, tree.manifest()?);
        let current = fs::read_to_string(&manifest_file).is_ok_and(|known| known == manifest);
        if !(current && archive.exists()) {
            progress.step(&format!("making the guest's root for Linux {}", kernel.version));
            let stage = tempfile::Builder::new().prefix("stage-").tempdir_in(cache)?;
            add_modules(&mut tree, kernel, stage.path())?;
            // Renamed when complete: another run may read the old one.
            let new = stage.path().join("base.cpio");
            write(&tree, &new)?;
            fs::rename(&new, &archive)?;
            fs::write(&manifest_file, &manifest)?;
        }
        Ok(Self { archive, tree })
    }

    /// The path of a program in every guest.
    pub fn find_program(&self, name: &str) -> Option<String> {
        self.tree.find_program(name)
    }

    /// Writes the base with `layer` on top: the kernel unpacks archives that follow one another.
    pub fn write_with(&self, layer: &Tree, initrd: &Path) -> Result<()> {
        fs::copy(&self.archive, initrd).context("copying the guest's root")?;
        let file = File::options().append(true).open(initrd)?;
        let mut archive = Archive::new(BufWriter::with_capacity(1 << 20, file));
        layer.write_to(&mut archive)?;
        archive.finish()?;
        Ok(())
    }
}

/// A program of the host for the guest, under the path it has here; what others are links to is where they expect it.
fn add_tool(tree: &mut Tree, tool: &Tool) -> Result<()> {
    let path = find_program(&tool.program).with_context(|| format!("{} is not installed", tool.program))?;
    let guest = match tool.program.as_str() {
        "busybox" | "dash" | "kmod" => format!("usr/bin/{}", tool.program),
        _ => utf8(&path)?.to_owned(),
    };
    tree.program(&path, &guest)
}

/// Adds a program of the host to the layer of one run, installing its package if need be.
pub fn add_extra(tree: &mut Tree, tool: &Tool, progress: &Progress) -> Result<()> {
    packages::provide(std::slice::from_ref(tool), progress)?;
    add_tool(tree, tool)
}

fn skeleton(tree: &mut Tree) {
    for folder in ["dev", "etc", "home", "mnt", "proc", "run", "sys", "var"] {
        tree.directory(folder, 0o755);
    }
    for folder in ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/bin"] {
        tree.directory(folder, 0o755);
    }
    tree.directory("root", 0o700);
    tree.directory("tmp", 0o1777);
    tree.directory("var/tmp", 0o1777);
    tree.symlink("var/run", "/run");
    for name in MERGED {
        tree.symlink(name, &format!("usr/{name}"));
    }
    tree.text("init", include_str!("init.sh"), 0o755);
    for (path, content) in ETC {
        tree.text(path, *content, 0o644);
    }
}

fn applets(busybox: &Path) -> Result<Vec<String>> {
    let output = Command::new(busybox).arg("--list").output().context("running busybox")?;
    let names: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().filter(|name| *name != "busybox").map(str::to_owned).collect();
    for needed in NEEDED_APPLETS {
        if !names.iter().any(|name| name == needed) {
            bail!("{} has no {needed}: the guest needs the one of Debian's package busybox-static", busybox.display());
        }
    }
    Ok(names)
}

/// Modules of the kernel that the guest may need, decompressed: software emulation is slow at that.
fn add_modules(tree: &mut Tree, kernel: &Kernel, stage: &Path) -> Result<()> {
    let source = kernel.modules();
    let read = |name: &str| fs::read_to_string(source.join(name)).with_context(|| format!("reading {name}"));
    let modules = Modules::parse(&read("modules.dep")?, &read("modules.softdep")?);
    let inside = format!("usr/lib/modules/{}", kernel.release);
    let folder = stage.join(&inside);
    fs::create_dir_all(&folder)?;
    std::os::unix::fs::symlink("usr/lib", stage.join("lib"))?;
    for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        fs::copy(source.join(name), folder.join(name)).with_context(|| format!("copying {name}"))?;
    }
    for path in modules.closure(WANTED.iter().copied()) {
        let from = source.join(&path);
        let (plain, tool) = decompressor(&path);
        let to = folder.join(plain);
        fs::create_dir_all(to.parent().unwrap_or(&folder))?;
        match tool {
            None => drop(fs::copy(&from, &to)?),
            Some(tool) => {
                let file = File::create(&to)?;
                let status = Command::new(tool)
                    .arg("-dc")
                    .arg(&from)
                    .stdout(file)
                    .status()
                    .with_context(|| format!("running {tool}"))?;
                if !status.success() {
                    bail!("{tool} could not unpack {path}");
                }
            }
        }
    }
    run(administrator("depmod").arg("-b").arg(stage).arg(&kernel.release))?;
    add_folder(tree, &folder, &inside)
}

/// A module's path without compression, and the program that removes it.
fn decompressor(path: &str) -> (&str, Option<&'static str>) {
    for (suffix, tool) in [(".xz", "xz"), (".zst", "zstd"), (".gz", "gzip")] {
        if let Some(plain) = path.strip_suffix(suffix) {
            return (plain, Some(tool));
        }
    }
    (path, None)
}

fn add_folder(tree: &mut Tree, folder: &Path, inside: &str) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(Path::new).context("a nameless file")?;
        let inside = format!("{inside}/{}", utf8(name)?);
        if path.is_dir() {
            add_folder(tree, &path, &inside)?;
        } else {
            tree.copy(&path, &inside)?;
        }
    }
    Ok(())
}

fn write(tree: &Tree, path: &Path) -> Result<()> {
    let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    let mut archive = Archive::new(BufWriter::with_capacity(1 << 20, file));
    tree.write_to(&mut archive)?;
    let out = archive.finish()?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(())
}

/// The applets that `init.sh` calls; only a full busybox has them all.
const NEEDED_APPLETS: &[&str] = &[
    "cat", "find", "grep", "kill", "ln", "mkdir", "mkfifo", "mount", "nproc", "printf", "reboot", "rm", "setsid", "sh",
    "sleep", "stty", "sync",
];

const ETC: &[(&str, &str)] = &[
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"),
    ("etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    ("etc/hosts", "127.0.0.1 localhost guest\n::1 localhost ip6-localhost ip6-loopback\n"),
    ("etc/hostname", "guest\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n"),
    (
        "etc/protocols",
        "ip 0 IP\nicmp 1 ICMP\nipencap 4 IP-ENCAP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\ngre 47 GRE\nesp 50 IPSEC-ESP\n\
         ah 51 IPSEC-AH\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n",
    ),
    (
        "etc/services",
        "echo 7/tcp\necho 7/udp\ndiscard 9/tcp sink null\nftp-data 20/tcp\nftp 21/tcp\nssh 22/tcp\ntelnet 23/tcp\n\
         smtp 25/tcp mail\ndomain 53/tcp\ndomain 53/udp\ntftp 69/udp\nhttp 80/tcp www\npop3 110/tcp\nntp 123/udp\n\
         imap2 143/tcp imap\nsnmp 161/udp\nldap 389/tcp\nhttps 443/tcp\nhttps 443/udp\nsyslog 514/udp\nimaps 993/tcp\n\
         pop3s 995/tcp\nopenvpn 1194/udp\nmysql 3306/tcp\nsip 5060/tcp\nsip 5060/udp\npostgresql 5432/tcp\n\
         http-alt 8080/tcp webcache\nhttp-alt 8080/udp\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_modules_name_their_tool() {
        assert_eq!(decompressor("kernel/a.ko"), ("kernel/a.ko", None));
        assert_eq!(decompressor("kernel/a.ko.xz"), ("kernel/a.ko", Some("xz")));
        assert_eq!(decompressor("kernel/a.ko.zst"), ("kernel/a.ko", Some("zstd")));
    }
}
