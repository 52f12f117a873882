use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::desired::observed::Rest;
use crate::desired::spec::FileSpec;
use crate::desired::{Observed, PrintOptions, Scope};

impl Observed {
    /// Returns a text that tells one state of the managed part from another: equal tables have equal fingerprints.
    ///
    /// It is the SHA-256 of their settings, in hexadecimal; counters and connections are left out. Timeouts and daemons
    /// count if they were read.
    ///
    /// ```
    /// use ipvs_rs::desired::{Observed, Scope};
    ///
    /// assert_eq!(Observed::default().fingerprint(&Scope::all()).len(), 64);
    /// ```
    pub fn fingerprint(&self, scope: &Scope) -> String {
        let mut managed = self.only_rest(Rest::ALL);
        let rows = self.table.services.iter().filter(|row| scope.covers(&row.service.id()));
        managed.table.services = rows.cloned().collect();
        if let Some(daemons) = &mut managed.sync {
            daemons.sort_unstable();
        }
        let file = FileSpec::from_observed(&managed, &PrintOptions::new().all(true));
        // Serializing text and numbers does not fail.
        let json = serde_json::to_vec(&file).unwrap_or_default();
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(json) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}
