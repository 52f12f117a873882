//! The kernel modules of a guest.

use std::collections::{BTreeMap, BTreeSet};

/// Modules by path and what each of them needs, as `depmod` wrote it into `modules.dep` and `modules.softdep`.
pub struct Modules {
    path: BTreeMap<String, String>,
    needs: BTreeMap<String, Vec<String>>,
}

impl Modules {
    pub fn parse(dependencies: &str, soft_dependencies: &str) -> Self {
        let mut path = BTreeMap::new();
        let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in dependencies.lines() {
            let Some((module, list)) = line.split_once(':') else {
                continue;
            };
            path.insert(name_of(module), module.to_owned());
            needs.insert(name_of(module), list.split_whitespace().map(name_of).collect());
        }
        // `softdep NAME pre: A B post: C`: loaded along, not linked against (libcrc32c and its checksum drivers).
        for line in soft_dependencies.lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some("softdep") {
                continue;
            }
            let Some(module) = words.next() else { continue };
            needs.entry(name_of(module)).or_default().extend(words.filter(|word| !word.ends_with(':')).map(name_of));
        }
        Self { path, needs }
    }

    /// The paths of every module in `wanted` and all that they need. A name the kernel does not have as a module
    /// (built in, or of another version) is left out. A wanted name that ends in `/` means the whole folder.
    pub fn closure<'a>(&self, wanted: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let mut queue: Vec<String> = Vec::new();
        for name in wanted {
            if name.ends_with('/') {
                queue.extend(self.path.iter().filter(|(_, path)| path.contains(name)).map(|(name, _)| name.clone()));
            } else {
                queue.push(name_of(name));
            }
        }
        let mut seen = BTreeSet::new();
        let mut paths = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            paths.extend(self.path.get(&name).cloned());
            queue.extend(self.needs.get(&name).into_iter().flatten().cloned());
        }
        paths
    }
}

/// `kernel/net/netfilter/ipvs/ip_vs.ko.xz` is the module `ip_vs`; the kernel takes `-` and `_` for the same.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split_once(".ko").map_or(file, |(stem, _)| stem);
    stem.replace('-', "_")
}

/// The modules of our tests, examples and demo; the rest of the kernel is left out so that the guest boots quickly.
pub const WANTED: &[&str] = &[
    // IPVS itself with every scheduler, and what marks or catches its traffic.
    "kernel/net/netfilter/ipvs/",
    "xt_ipvs",
    "nf_conntrack",
    "nf_conntrack_ftp",
    "nf_conntrack_netlink",
    "nf_nat",
    "nf_nat_ftp",
    "nf_defrag_ipv4",
    "nf_defrag_ipv6",
    "nf_log_syslog",
    // Both packet filters, as `iptables` and `nft` use them.
    "nf_tables",
    "nft_compat",
    "nft_ct",
    "nft_nat",
    "nft_masq",
    "nft_redir",
    "nft_chain_nat",
    "nft_reject_inet",
    "nft_counter",
    "iptable_filter",
    "iptable_nat",
    "iptable_mangle",
    "iptable_raw",
    "ip6table_filter",
    "ip6table_nat",
    "ip6table_mangle",
    "ip6table_raw",
    "xt_MASQUERADE",
    "xt_REDIRECT",
    "xt_TPROXY",
    "xt_addrtype",
    "xt_comment",
    "xt_connmark",
    "xt_conntrack",
    "xt_mark",
    "xt_multiport",
    "xt_nat",
    "xt_set",
    "xt_socket",
    "xt_statistic",
    "xt_tcpudp",
    "ipt_REJECT",
    "ip6t_REJECT",
    "ip_set_hash_ip",
    "ip_set_hash_ipport",
    "ip_set_hash_ipportip",
    "ip_set_hash_ipportnet",
    "ip_set_hash_net",
    "ip_set_bitmap_port",
    // Interfaces to build small networks from.
    "dummy",
    "veth",
    "bridge",
    "br_netfilter",
    "macvlan",
    "ipvlan",
    "8021q",
    "tun",
    "ifb",
    "nlmon",
    "vxlan",
    "sch_netem",
    "sch_tbf",
    "sch_fq_codel",
    "sch_ingress",
    "cls_u32",
    "cls_fw",
    "act_mirred",
    // Tunnels: IPIP, GRE and GUE destinations, and their other ends.
    "ip_tunnel",
    "ip6_tunnel",
    "ipip",
    "sit",
    "gre",
    "ip_gre",
    "ip6_gre",
    "fou",
    "fou6",
    "tunnel4",
    "tunnel6",
    // Protocols that IPVS balances beyond TCP and UDP, and sockets that tools look with.
    "sctp",
    "af_packet",
    "inet_diag",
    "tcp_diag",
    "udp_diag",
    "unix_diag",
    "netlink_diag",
    "af_packet_diag",
    // Checksums that modules above ask the crypto layer for by name.
    "crc32c_generic",
    "crc32c_intel",
    "overlay",
    // The way in and out of the guest.
    "virtio_mmio",
    "virtio_console",
    "virtio_rng",
];

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "\
kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/net/netfilter/nf_conntrack.ko.xz kernel/lib/libcrc32c.ko.xz
kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz: kernel/net/netfilter/ipvs/ip_vs.ko.xz
kernel/net/netfilter/nf_conntrack.ko.xz: kernel/lib/libcrc32c.ko.xz
kernel/lib/libcrc32c.ko.xz:
kernel/arch/x86/crypto/crc32c-intel.ko.xz:
kernel/drivers/net/dummy.ko.xz:
";

    #[test]
    fn the_closure_follows_hard_and_soft_needs() {
        let modules = Modules::parse(DEPENDENCIES, "# Soft dependencies\nsoftdep libcrc32c pre: crc32c_intel\n");
        let paths = modules.closure(["ip_vs_rr"]);
        assert_eq!(
            paths.into_iter().collect::<Vec<_>>(),
            [
                "kernel/arch/x86/crypto/crc32c-intel.ko.xz",
                "kernel/lib/libcrc32c.ko.xz",
                "kernel/net/netfilter/ipvs/ip_vs.ko.xz",
                "kernel/net/netfilter/ipvs/ip_vs_rr.ko.xz",
                "kernel/net/netfilter/nf_conntrack.ko.xz",
            ]
        );
    }

    #[test]
    fn a_folder_means_all_in_it_and_unknown_names_are_left_out() {
        let modules = Modules::parse(DEPENDENCIES, "");
        let paths = modules.closure(["kernel/net/netfilter/ipvs/", "built_in"]);
        assert_eq!(paths.len(), 4);
        assert!(!paths.contains("kernel/drivers/net/dummy.ko.xz"));
    }

    #[test]
    fn dashes_and_underscores_are_the_same() {
        let modules = Modules::parse(DEPENDENCIES, "");
        assert_eq!(modules.closure(["crc32c-intel"]).len(), 1);
        assert_eq!(modules.closure(["crc32c_intel"]).len(), 1);
    }
}
