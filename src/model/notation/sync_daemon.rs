use std::fmt::{self, Write as _};

use crate::model::{MulticastGroup, SyncDaemon, SyncRole};

impl fmt::Display for SyncRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Master => "master",
            Self::Backup => "backup",
        })
    }
}

impl fmt::Display for MulticastGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl fmt::Display for SyncDaemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{} sync daemon (mcast={}, syncid={}", self.role, self.interface, self.sync_id);
        if let Some(max_len) = self.max_len {
            write!(text, ", maxlen={max_len}")?;
        }
        if let Some(group) = self.group {
            write!(text, ", group={group}")?;
        }
        if let Some(port) = self.port {
            write!(text, ", port={port}")?;
        }
        if let Some(ttl) = self.ttl {
            write!(text, ", ttl={ttl}")?;
        }
        text.push(')');
        f.pad(&text)
    }
}
