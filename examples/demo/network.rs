//! The lab: client, director and servers, each in a network namespace of its own, with the director as the only way
//! from one side to the other.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fmt, fs, thread};

use ipvs_rs::Handle;
use ipvs_rs::transport::Netns;

use crate::DemoResult;

/// The differences between the two runs of the scenario. All addresses are of the ranges for documentation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) family: &'static str,
    pub(crate) virtual_address: IpAddr,
    pub(crate) servers: [IpAddr; 2],
}

pub(crate) const NETWORKS: [Addresses; 2] = [
    Addresses {
        family: "IPv4",
        virtual_address: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 10)),
        servers: [IpAddr::V4(Ipv4Addr::new(203, 0, 113, 11)), IpAddr::V4(Ipv4Addr::new(203, 0, 113, 12))],
    },
    Addresses {
        family: "IPv6",
        virtual_address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, 0x10)),
        servers: [
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x113, 0, 0, 0, 0, 0x11)),
            IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x113, 0, 0, 0, 0, 0x12)),
        ],
    },
];

/// `nodad` and `accept_dad`: an IPv6 address is otherwise not usable for a second or two.
const CLIENT: &str = "\
    link set lo up
    link set director up
    address add 192.0.2.2/24 dev director
    address add 2001:db8:2::2/64 dev director nodad
    route add default via 192.0.2.1
    route add ::/0 via 2001:db8:2::1
";
const DIRECTOR: &str = "\
    link set lo up
    link set clients up
    link set servers up
    address add 192.0.2.1/24 dev clients
    address add 2001:db8:2::1/64 dev clients nodad
    address add 203.0.113.1/24 dev servers
    address add 2001:db8:113::1/64 dev servers nodad
    address add 198.51.100.10/32 dev lo
    address add 2001:db8:51::10/128 dev lo nodad
";
/// Masquerading works only if the answers pass the director, here because it is the default route.
const SERVERS: &str = "\
    link set lo up
    link set director up
    address add 203.0.113.11/24 dev director
    address add 203.0.113.12/24 dev director
    address add 2001:db8:113::11/64 dev director nodad
    address add 2001:db8:113::12/64 dev director nodad
    route add default via 203.0.113.1
    route add ::/0 via 2001:db8:113::1
";

const NO_DAD: (&str, &str) = ("net/ipv6/conf/default/accept_dad", "0");
/// Packets enter and leave by the same interface in both directions, so that the filter for reverse paths
/// (`rp_filter`), whatever the host has made of it, lets them pass.
const FORWARDING: [(&str, &str); 2] = [("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1")];

const DEADLINE: Duration = Duration::from_secs(10);

/// Checks everything that the demo needs, with an error that tells how to get it.
pub(crate) fn check_tools() -> DemoResult<()> {
    // The error tells how to load IPVS, or to become root.
    Handle::new()?.get_info()?;
    let version = Command::new(program()?).arg("-V").stdin(Stdio::null()).output()?;
    if String::from_utf8_lossy(&version.stdout).contains("iproute2") {
        Ok(())
    } else {
        Err("this `ip` cannot make network namespaces: install the one of iproute2".into())
    }
}

/// The path of `ip`. By its mere name a shell might run one of its own: busybox has one without namespaces.
fn program() -> DemoResult<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("ip")).find(|file| file.is_file());
    found.ok_or_else(|| "the program `ip` was not found: install iproute2".into())
}

/// The three namespaces. They are removed when this is dropped, and also when the process is killed.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) client: Netns,
    pub(crate) director: Netns,
    pub(crate) servers: Netns,
    names: [String; 3],
    janitor: CleanupProcess,
}

impl Lab {
    pub(crate) fn build() -> DemoResult<Self> {
        let names = ["client", "director", "servers"].map(|role| format!("demo-{}-{role}", process::id()));
        let janitor = CleanupProcess::start(&names)?;
        for name in &names {
            ip(&["netns", "add", name], "")?;
        }
        let [client, director, servers] = &names;
        let lab = Self {
            client: Netns::named(client)?,
            director: Netns::named(director)?,
            servers: Netns::named(servers)?,
            names: names.clone(),
            janitor,
        };
        set(&lab.client, &[NO_DAD])?;
        set(&lab.servers, &[NO_DAD])?;
        set(&lab.director, &[NO_DAD])?;
        set(&lab.director, &FORWARDING)?;
        for (inside, outside) in [("clients", client), ("servers", servers)] {
            let here = ["link", "add", inside, "netns", director];
            let there = ["type", "veth", "peer", "name", "director", "netns", outside];
            ip(&[&here[..], &there[..]].concat(), "")?;
        }
        for (name, commands) in [(client, CLIENT), (director, DIRECTOR), (servers, SERVERS)] {
            ip(&["-n", name, "-batch", "-"], commands)?;
        }
        Ok(lab)
    }

    /// Removes the namespaces and returns whether all of them are gone.
    pub(crate) fn remove(mut self) -> DemoResult<bool> {
        self.janitor.dismiss()?;
        Ok(self.names.iter().all(|name| !Path::new("/run/netns").join(name).exists()))
    }
}

impl fmt::Display for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [client, director, servers] = &self.names;
        writeln!(f, "  {client}: 192.0.2.2 and 2001:db8:2::2, default route by the director")?;
        writeln!(f, "  {director}: forwards; virtual addresses 198.51.100.10 and 2001:db8:51::10")?;
        writeln!(f, "  {servers}: default route by the director")?;
        writeln!(f, "    web server alpha on 203.0.113.11 and 2001:db8:113::11, port 8080")?;
        write!(f, "    web server beta on 203.0.113.12 and 2001:db8:113::12, port 8080")
    }
}

/// A process that waits for the end of this one, for whatever reason, and then removes the namespaces.
#[derive(Debug)]
struct CleanupProcess(Child);

impl CleanupProcess {
    fn start(names: &[String]) -> DemoResult<Self> {
        // Reading ends when this process closes its end of the pipe, or the kernel does so for it.
        const SCRIPT: &str = "trap '' INT TERM HUP QUIT; read -r _; for name; do \"$0\" netns delete \"$name\"; done";
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).arg(program()?).args(names);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Out of reach of the terminal's Ctrl-C.
        command.process_group(0);
        Ok(Self(command.spawn().map_err(|error| format!("the program `sh` cannot be started: {error}"))?))
    }

    fn dismiss(&mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        wait(&mut self.0)
    }
}

impl Drop for CleanupProcess {
    fn drop(&mut self) {
        // A failure has been reported already, or is that of a namespace that was never made.
        let _ = self.dismiss();
    }
}

/// Writes sysctls of a namespace: the files under `/proc/sys/net` depend on the thread that opens them.
fn set(netns: &Netns, sysctls: &[(&str, &str)]) -> DemoResult<()> {
    for (name, value) in sysctls {
        netns
            .run(|| fs::write(Path::new("/proc/sys").join(name), value))?
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Runs `ip`, with commands for `-batch -` on its standard input.
fn ip(arguments: &[&str], batch: &str) -> DemoResult<()> {
    let failed = |error: &dyn fmt::Display| format!("`ip {}`: {error}", arguments.join(" "));
    let mut command = Command::new(program()?);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it stops reading, its own error message tells the reason.
        let _ = stdin.write_all(batch.as_bytes());
    }
    let status = wait(&mut child).map_err(|error| failed(&error))?;
    if status.success() {
        return Ok(());
    }
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut complaint)?;
    }
    Err(failed(&complaint.trim()).into())
}

/// Waits for a process, up to a limit.
fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if begin.elapsed() > DEADLINE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no end within {DEADLINE:?}")));
        }
        thread::sleep(Duration::from_millis(2));
    }
}
