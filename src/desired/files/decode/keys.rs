//! Which keys there are.

use super::{Decoder, Fields, Path};
use crate::desired::files::tree::{Content, Node};
use crate::desired::{Stage, spec};

impl Decoder<'_> {
    pub(super) fn file(&mut self, document: &Node) -> Option<spec::File> {
        if document.is_null() {
            return Some(spec::File::default());
        }
        let path = Path::File;
        if !matches!(document.content, Content::Mapping(_)) {
            self.unexpected(document, &path, "a mapping with the key services");
            return None;
        }
        let before = self.errors;
        let version = self.version(Fields(document));
        if self.errors != before {
            return None;
        }
        self.is_version_2 = version == Some(2);
        let keys = ["version", "timeouts", "sync", "scope", "drain", "defaults", "services"];
        let fields = self.mapping(document, &path, "the file", &keys)?;
        Some(spec::File {
            version,
            timeouts: self.part(fields, &path, "timeouts", Self::timeouts),
            sync: self.list(fields, &path, "sync", "a synchronization daemon", Self::sync),
            scope: self.part(fields, &path, "scope", Self::scope),
            drain: self.part(fields, &path, "drain", Self::drain),
            defaults: self.part(fields, &path, "defaults", Self::defaults),
            services: self.list(fields, &path, "services", "a service", Self::service),
        })
    }

    /// The version, which decides about everything else.
    fn version(&mut self, fields: Fields<'_>) -> Option<i64> {
        let path = Path::File;
        let entry = fields.get("version")?;
        let version = self.integer(fields, &path, "version")?;
        if (1..=2).contains(&version) {
            return Some(version);
        }
        let message = format!("there is no version {version}; versions are 1 and 2");
        self.error(Stage::Validation, entry.value.position, &path.key("version"), message);
        None
    }

    /// The value of a key that is a mapping.
    fn part<T>(
        &mut self,
        fields: Fields<'_>,
        path: &Path<'_>,
        key: &'static str,
        decode: impl FnOnce(&mut Self, &Node, &Path<'_>) -> Option<T>,
    ) -> Option<T> {
        let entry = fields.get(key)?;
        decode(self, &entry.value, &path.key(key))
    }

    fn timeouts(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Timeouts> {
        let fields = self.mapping(node, path, "timeouts", &["tcp", "tcpfin", "udp"])?;
        Some(spec::Timeouts {
            tcp: self.duration(fields, path, "tcp"),
            tcpfin: self.duration(fields, path, "tcpfin"),
            udp: self.duration(fields, path, "udp"),
        })
    }

    fn sync(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Sync> {
        let keys = ["role", "interface", "id", "group", "port", "ttl", "maxlen"];
        let fields = self.mapping(node, path, "a synchronization daemon", &keys)?;
        Some(spec::Sync {
            role: self.text(fields, path, "role"),
            interface: self.text(fields, path, "interface"),
            id: self.integer(fields, path, "id"),
            group: self.text(fields, path, "group"),
            port: self.integer(fields, path, "port"),
            ttl: self.integer(fields, path, "ttl"),
            maxlen: self.integer(fields, path, "maxlen"),
        })
    }

    fn scope(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Scope> {
        let fields = self.mapping(node, path, "scope", &["manage", "ignore"])?;
        Some(spec::Scope {
            manage: self.words(fields, path, "manage", "a pattern"),
            ignore: self.words(fields, path, "ignore", "a pattern"),
        })
    }

    fn drain(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Drain> {
        let fields = self.mapping(node, path, "drain", &["timeout", "poll", "wait", "on-timeout"])?;
        Some(spec::Drain {
            timeout: self.duration(fields, path, "timeout"),
            poll: self.duration(fields, path, "poll"),
            wait: self.text(fields, path, "wait"),
            on_timeout: self.text(fields, path, "on-timeout"),
        })
    }

    fn defaults(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Defaults> {
        let fields = self.mapping(node, path, "defaults", &["port", "weight", "sched", "forward"])?;
        Some(spec::Defaults {
            port: self.integer(fields, path, "port"),
            weight: self.integer(fields, path, "weight"),
            sched: self.text(fields, path, "sched"),
            forward: self.text(fields, path, "forward"),
        })
    }

    fn service(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Service> {
        let keys = [
            "name",
            "address",
            "family",
            "sched",
            "sched-flags",
            "one-packet",
            "persistence",
            "drain",
            "stats",
            "destinations",
        ];
        let fields = self.mapping(node, path, "a service", &keys)?;
        Some(spec::Service {
            name: self.text(fields, path, "name"),
            address: self.address(fields, path),
            family: self.text(fields, path, "family"),
            sched: self.text(fields, path, "sched"),
            sched_flags: self.words(fields, path, "sched-flags", "a flag"),
            one_packet: self.switch(fields, path, "one-packet"),
            persistence: self.part(fields, path, "persistence", Self::persistence),
            drain: self.part(fields, path, "drain", Self::drain),
            stats: None,
            destinations: self.list(fields, path, "destinations", "a destination", Self::destination),
        })
    }

    fn persistence(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Persistence> {
        if let Content::Scalar(scalar) = &node.content {
            let switch = scalar.as_bool().map(spec::Persistence::Switch);
            return switch.or_else(|| self.duration_of(node, scalar, path).map(spec::Persistence::Timeout));
        }
        let fields = self.mapping(node, path, "persistence", &["timeout", "netmask", "prefix", "engine"])?;
        Some(spec::Persistence::Settings(spec::PersistenceSettings {
            timeout: self.duration(fields, path, "timeout"),
            netmask: self.text(fields, path, "netmask"),
            prefix: self.integer(fields, path, "prefix"),
            engine: self.text(fields, path, "engine"),
        }))
    }

    fn destination(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Destination> {
        let keys = ["address", "weight", "forward", "tunnel", "thresholds", "state", "stats"];
        let fields = self.mapping(node, path, "a destination", &keys)?;
        Some(spec::Destination {
            address: self.address(fields, path),
            weight: self.integer(fields, path, "weight"),
            forward: self.text(fields, path, "forward"),
            tunnel: self.part(fields, path, "tunnel", Self::tunnel),
            thresholds: self.part(fields, path, "thresholds", Self::thresholds),
            state: self.text(fields, path, "state"),
            stats: None,
        })
    }

    fn tunnel(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Tunnel> {
        let fields = self.mapping(node, path, "tunnel", &["type", "port", "checksum"])?;
        Some(spec::Tunnel {
            kind: self.text(fields, path, "type"),
            port: self.integer(fields, path, "port"),
            checksum: self.text(fields, path, "checksum"),
        })
    }

    fn thresholds(&mut self, node: &Node, path: &Path<'_>) -> Option<spec::Thresholds> {
        let fields = self.mapping(node, path, "thresholds", &["upper", "lower"])?;
        Some(spec::Thresholds {
            upper: self.integer(fields, path, "upper"),
            lower: self.integer(fields, path, "lower"),
        })
    }
}
