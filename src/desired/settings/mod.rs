//! One table of the settings of services and destinations: a row for each key, with all operations on it.
//!
//! Files are lowered, merged, printed and compared row by row, and the text of plans is written row by row as well.

mod destination;
mod name;
mod service;
mod version;

use std::fmt;

use bitflags::Flags;
use serde::Serialize;

pub(in crate::desired) use destination::DESTINATION;
pub(in crate::desired) use name::{name_bytes, name_text};
pub(in crate::desired) use service::SERVICE;
pub use version::forward_text;
pub(in crate::desired) use version::{Version, foreign_scheduler};

use super::escape::Escaped;
use super::spec::DrainSpec;
use super::state::{DesiredDestination, DestinationAttributes};
use super::written::Spot;
use crate::model::{AddressFamily, Config, Destination, ForwardMethod, Scheduler, Timeout, Weight};

/// A key of an object, which the kernel holds as `T`, and a file as `S`.
pub(in crate::desired) struct Setting<T: 'static, S: 'static, A: 'static> {
    /// Its name in a file.
    pub(in crate::desired) key: &'static str,
    /// The flag that leaves it as it is found; empty where that is not possible.
    pub(in crate::desired) attribute: A,
    /// Whether a file sets it.
    is_said: fn(&S) -> bool,
    /// Reads the value from a file, or the default.
    read: fn(&S, Subject<'_>, &mut T),
    /// Writes it, unless it is the default.
    print: fn(&T, &mut S),
    /// Returns it as a plan shows a change of it.
    show: fn(&T) -> FieldValue,
    is_same: fn(&T, &T) -> bool,
    /// Copies it from the first object to the second.
    copy: fn(&T, &mut T),
    /// Returns the remark of a plan about it in a new object.
    remark: fn(&T) -> String,
}

/// The settings of a kind of objects, in the order of a file.
pub(in crate::desired) struct Table<T: 'static, S: 'static, A: 'static> {
    rows: &'static [Setting<T, S, A>],
    /// The settings that version 1 leaves as they are found where a file does not set them.
    by_version_1: A,
}

/// The object whose settings are read, and its context.
#[derive(Clone, Copy)]
pub(in crate::desired) struct Subject<'a> {
    pub(in crate::desired) context: &'a Context<'a>,
    pub(in crate::desired) spot: &'a Spot<'a>,
    /// `service` or `destination`.
    pub(in crate::desired) object: &'static str,
    /// Its address as it was written.
    pub(in crate::desired) text: Escaped<'a>,
    /// The address of its service as it was written.
    pub(in crate::desired) service: Escaped<'a>,
    /// Its family, if its address can be read.
    pub(in crate::desired) family: Option<AddressFamily>,
}

/// The settings of one file that hold for its elements.
pub(in crate::desired) struct Context<'a> {
    pub(in crate::desired) version: Version,
    pub(in crate::desired) port: Option<u16>,
    pub(in crate::desired) weight: Weight,
    /// `None` if the one of the defaults is wrong.
    pub(in crate::desired) scheduler: Option<Scheduler>,
    /// `None` if the one of the defaults is wrong.
    pub(in crate::desired) forward: Option<ForwardMethod>,
    /// Whether something in the defaults is wrong, so that the settings of the elements are not reliable.
    pub(in crate::desired) are_defaults_wrong: bool,
    /// The settings of the file for drains.
    pub(in crate::desired) drain: Option<&'a DrainSpec>,
}

impl Subject<'_> {
    /// Reports that a value of the object is not one of those that are expected.
    pub(in crate::desired) fn invalid(
        self,
        key: &str,
        name: &str,
        value: impl fmt::Display,
        expected: impl fmt::Display,
    ) {
        let (object, text) = (self.object, self.text);
        self.spot.at(key).error(format_args!("invalid {name} ({value}) for {object} {text}: expected {expected}"));
    }
}

impl Context<'_> {
    /// The context of an empty file of this version.
    pub(in crate::desired) const fn new(version: Version) -> Self {
        Self {
            version,
            port: None,
            weight: Weight::ZERO,
            scheduler: Some(Scheduler::Rr),
            forward: Some(ForwardMethod::DirectRoute),
            are_defaults_wrong: false,
            drain: None,
        }
    }
}

impl<T: Clone, S, A: Flags + Copy> Table<T, S, A> {
    /// Reads all settings of an object, and returns which are left as they are found.
    pub(in crate::desired) fn read(&self, spec: &S, subject: Subject<'_>, object: &mut T) -> A {
        let mut left_alone = A::empty();
        for setting in self.rows {
            (setting.read)(spec, subject, object);
            let is_left = subject.context.version == Version::One && !(setting.is_said)(spec);
            left_alone.set(setting.attribute.intersection(self.by_version_1), is_left);
        }
        left_alone
    }

    /// Returns the settings that a file sets, a bit for each row.
    pub(in crate::desired) fn said(&self, spec: &S) -> u32 {
        self.rows.iter().rev().fold(0, |said, setting| said << 1 | u32::from((setting.is_said)(spec)))
    }

    /// Copies the settings of an object that only the second place has set, and returns the keys that contradict.
    pub(in crate::desired) fn unite(
        &self,
        (mine, mine_said, left_alone): (&mut T, &mut u32, &mut A),
        (its, its_said): (&T, u32),
    ) -> Vec<&'static str> {
        let mut contradicting = Vec::new();
        for (place, setting) in self.rows.iter().enumerate().filter(|(place, _)| its_said >> place & 1 == 1) {
            if *mine_said >> place & 1 == 0 {
                (setting.copy)(its, mine);
                left_alone.remove(setting.attribute);
            } else if !(setting.is_same)(mine, its) {
                contradicting.push(setting.key);
            }
        }
        *mine_said |= its_said;
        contradicting
    }

    /// Writes all settings of an object.
    pub(in crate::desired) fn print(&self, object: &T, mut spec: S) -> S {
        self.rows.iter().for_each(|setting| (setting.print)(object, &mut spec));
        spec
    }

    pub(in crate::desired) fn changes(&self, live: &T, wanted: &T) -> Vec<SettingChange> {
        let different = self.rows.iter().filter(|setting| !(setting.is_same)(live, wanted));
        different.map(|it| SettingChange { field: it.key, from: (it.show)(live), to: (it.show)(wanted) }).collect()
    }

    /// Returns the remarks of a plan about a new object: `wlc (flag-1), persistence 300s`.
    pub(in crate::desired) fn remark(&self, object: &T) -> String {
        self.rows.iter().map(|setting| (setting.remark)(object)).collect()
    }

    /// Returns an object with the settings of another one, except for those that are left alone.
    pub(in crate::desired) fn with_settings(&self, live: &T, should: &T, left_alone: A) -> T {
        let mut wanted = live.clone();
        for setting in self.rows {
            if setting.attribute.is_empty() || !left_alone.contains(setting.attribute) {
                (setting.copy)(should, &mut wanted);
            }
        }
        wanted
    }
}

/// Returns a present destination with the settings that it should have; those that are left alone stay.
pub(in crate::desired) fn wanted_destination(
    live: &Destination,
    desired: &DesiredDestination,
    keep_weights: bool,
) -> Destination {
    let mut left_alone = desired.left_alone;
    left_alone.set(DestinationAttributes::WEIGHT, keep_weights || left_alone.contains(DestinationAttributes::WEIGHT));
    DESTINATION.with_settings(live, &desired.created(), left_alone)
}

pub(in crate::desired) fn changes_of_config(live: &Config, wanted: &Config) -> Vec<SettingChange> {
    let seconds = |timeout: Option<Timeout>| FieldValue::Number(timeout.map_or(0, Timeout::as_secs).into());
    let fields =
        [("tcp", live.tcp, wanted.tcp), ("tcpfin", live.tcp_fin, wanted.tcp_fin), ("udp", live.udp, wanted.udp)];
    let different = fields.into_iter().filter(|(_, live, wanted)| wanted.is_some() && live != wanted);
    different.map(|(field, from, to)| SettingChange { field, from: seconds(from), to: seconds(to) }).collect()
}

/// A setting that changes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// Its key in a file.
    pub field: &'static str,
    /// The value before.
    pub from: FieldValue,
    /// The value after.
    pub to: FieldValue,
}

/// A setting as it is printed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum FieldValue {
    /// A number, or a time in seconds.
    Number(u64),
    /// On or off.
    Switch(bool),
    /// A word, or several.
    Text(String),
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Switch(switch) => switch.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}
