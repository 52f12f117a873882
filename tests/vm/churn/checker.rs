//! Whether a list is right, and how many were.

use std::collections::{HashMap, HashSet};
use std::fmt;

use ipvs_rs::model::Reading;

use super::object::{Key, Object};

/// Knows what must be in a list, and what may be.
#[derive(Debug)]
pub struct Checker<'a> {
    steady: HashMap<Key, &'a Object>,
    others: HashMap<Key, &'a Object>,
}

impl<'a> Checker<'a> {
    /// Of a list of objects that are there all the time, and of others that come and go.
    pub fn new(steady: &'a [Object], others: &'a [Object]) -> Self {
        let by_key = |objects: &'a [Object]| objects.iter().map(|object| (object.key(), object)).collect();
        Self { steady: by_key(steady), others: by_key(others) }
    }

    /// The mistakes in a list.
    pub fn check(&self, list: &[Object]) -> ListCheck {
        let mut check = ListCheck::default();
        let mut seen = HashSet::new();
        for object in list {
            let key = object.key();
            if !seen.insert(key) {
                check.repeated.push(key);
            }
            let is_known = self.steady.get(&key).is_some_and(|known| *known == object)
                || self.others.get(&key).is_some_and(|known| known.may_be_seen_as(object));
            if !is_known {
                check.strange.push(object.clone());
            }
        }
        check.missing = self.steady.keys().filter(|key| !seen.contains(key)).copied().collect();
        check
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListCheck {
    /// They are there all the time.
    pub missing: Vec<Key>,
    pub repeated: Vec<Key>,
    /// They never were, or not like that.
    pub strange: Vec<Object>,
}

impl ListCheck {
    pub fn is_right(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for ListCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { missing, repeated, strange } = self;
        write!(f, "{} missing, {} repeated, {} strange", missing.len(), repeated.len(), strange.len())?;
        write!(f, " ({:?} {:?} {:?})", missing.first(), repeated.first(), strange.first())
    }
}

/// The results of the lists of a case.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// In one piece, as was said.
    pub whole: u32,
    /// Asked for as lists to rely on, and how many requests they took.
    pub stable: u32,
    pub requests: u32,
    /// The mistakes in those.
    pub wrong: Vec<String>,
    /// There was none to rely on.
    pub unstable: u32,
    /// In several pieces, as was said, and so perhaps wrong.
    pub fragmented: u32,
    pub fragmented_wrong: u32,
}

impl Tally {
    /// How many were said to be right.
    pub fn accepted(&self) -> u32 {
        self.whole + self.stable
    }

    /// Notes a list that was read in one pass.
    pub fn read(&mut self, reading: Reading, check: &ListCheck) {
        if reading.is_complete() {
            self.whole += 1;
            self.accept(check, 1);
        } else {
            self.fragmented += 1;
            self.fragmented_wrong += u32::from(!check.is_right());
        }
    }

    /// Notes a list to rely on that took so many requests.
    pub fn rely(&mut self, requests: u32, check: &ListCheck) {
        self.stable += 1;
        self.requests += requests;
        self.accept(check, requests);
    }

    fn accept(&mut self, check: &ListCheck, requests: u32) {
        if !check.is_right() {
            self.wrong.push(format!("{check}, after {requests} requests"));
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.stable += other.stable;
        self.requests += other.requests;
        self.wrong.extend_from_slice(&other.wrong);
        self.unstable += other.unstable;
        self.fragmented += other.fragmented;
        self.fragmented_wrong += other.fragmented_wrong;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whole, stable, requests, wrong, unstable, fragmented, fragmented_wrong } = self;
        write!(f, "{} accepted, {} wrong", self.accepted(), wrong.len())?;
        write!(f, " ({whole} in one piece, {stable} stable")?;
        if *stable > 0 {
            write!(f, " after {:.1} requests", f64::from(*requests) / f64::from(*stable))?;
        }
        write!(f, "); {unstable} unstable; {fragmented} fragmented, {fragmented_wrong} wrong")
    }
}
