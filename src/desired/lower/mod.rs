//! From a file as it was written to a state that a table can have.
//!
//! Everything that is wrong is found at once; an object with a mistake is left out of the state, the others are in it.

mod address;
mod merge;
mod object;
mod saved;
mod service;
mod whole;

use std::collections::HashMap;

pub(in crate::desired) use saved::{destination, destination_id, drain, scope, service, service_id, sync, timeouts};

use super::settings::{Context, Version, foreign_scheduler};
use super::written::{self, Findings, Form, Spot};
use super::{DesiredState, Diagnostic, Diagnostics, Place, Stage, print, shown, spec};
use crate::model::{ServiceId, Weight};

/// A file, and what was found in it so far.
#[derive(Debug)]
pub(in crate::desired) struct Document {
    pub(in crate::desired) file: written::File,
    pub(in crate::desired) findings: Findings,
}

impl DesiredState {
    /// Checks a file and makes a state of it, together with what is worth a look.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, and the warnings; places are paths such as `services[2].destinations[0].weight`.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::{DesiredState, spec};
    ///
    /// let web = spec::Service { address: Some("tcp://192.0.2.10:99999".to_owned()), ..spec::Service::default() };
    /// let file = spec::File { services: Some(vec![web]), ..spec::File::default() };
    /// assert_eq!(
    ///     DesiredState::from_spec(&file).unwrap_err().to_string(),
    ///     "services[0].address: error: invalid port (99999) for service tcp://192.0.2.10:99999."
    /// );
    /// ```
    pub fn from_spec(file: &spec::File) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut document = Document { file: Form::of(file), findings: Findings::default() };
        let (state, found) = lower(std::slice::from_mut(&mut document), false);
        let diagnostics: Diagnostics = document.findings.into_found().into_iter().chain(found).collect();
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok((state, diagnostics)) }
    }
}

/// Makes one state of several files; what concerns several of them is returned with it. With `merge`, a service may stand
/// in several places, each with some destinations.
pub(in crate::desired) fn lower(documents: &mut [Document], merge: bool) -> (DesiredState, Vec<Diagnostic>) {
    let mut lowering = Lowering { merge, ..Lowering::default() };
    for Document { file, findings } in documents {
        lowering.document(file, findings);
    }
    let found = lowering.check_whole();
    (lowering.state, found)
}

#[derive(Default)]
struct Lowering {
    merge: bool,
    state: DesiredState,
    /// Each service by identity: its place in the state, or none if it has a mistake, and where it was written.
    services: HashMap<ServiceId, (Option<usize>, Place)>,
    /// Each name with the service that has it, and where it was written.
    names: HashMap<String, (Option<ServiceId>, Place)>,
    /// Where keys stand that only one file may have.
    singles: HashMap<&'static str, Place>,
    /// Whether it is not known what is managed.
    is_scope_wrong: bool,
    /// Each service of the state with where its address was written, and the settings that were written.
    written: Vec<(Place, u32)>,
}

impl Lowering {
    fn document(&mut self, file: &written::File, findings: &mut Findings) {
        let spot = Spot::default();
        let version = match file.version.get() {
            None | Some(1) => Version::One,
            Some(2) => Version::Two,
            Some(other) => {
                let message = format_args!("unknown version {other}: there are 1 and 2");
                findings.error(&spot.key("version", &file.version), message);
                Version::Two
            }
        };
        self.settings(file, &spot, findings);
        let context = context(version, file, &spot, findings);
        let services = spot.key("services", &file.services);
        for item in file.services.items() {
            self.service(&context, &item.value, &services.item(item.place, item.position), findings);
        }
    }

    /// What can be seen only when all files have been read.
    fn check_whole(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut error = |place: &Place, message| {
            found.push(Diagnostic::error(Stage::Validation, place.clone(), message));
        };
        let daemons = self.state.sync.as_ref().is_some_and(|daemons| !daemons.is_empty());
        for (service, (place, _)) in self.state.services.iter().zip(&self.written) {
            let id = service.id();
            let text = print::service_text(&id);
            if !self.is_scope_wrong && !self.state.scope.covers(&id) {
                let message = format!("service {text} is outside of the scope: it would never be compared or deleted");
                error(place, message);
            }
            let mixed = service.destinations.iter().find(|wanted| wanted.id().family() != id.family());
            if let Some(mixed) = mixed.filter(|_| daemons) {
                let message = format!(
                    "destination {} of service {text} is of the other address family, which the kernel refuses while a \
                     synchronization daemon runs: see sync",
                    mixed.id()
                );
                error(place, message);
            }
        }
        found
    }

    /// Whether this is the first file with a key; says so if it is not.
    fn is_first(&mut self, key: &'static str, spot: &Spot<'_>, findings: &mut Findings) -> bool {
        if let Some(first) = self.singles.get(key) {
            findings.error(spot, format_args!("{key} stands in another file as well ({first}): only one may have it"));
            return false;
        }
        self.singles.insert(key, findings.place(spot));
        true
    }
}

/// The settings of a file for its elements.
fn context<'a>(version: Version, file: &'a written::File, spot: &Spot<'_>, findings: &mut Findings) -> Context<'a> {
    let before = findings.errors();
    let mut context = Context { drain: file.drain.get(), ..Context::new(version) };
    let Some(defaults) = file.defaults.get() else {
        if file.defaults.is_broken() {
            context = Context { scheduler: None, forward: None, are_defaults_wrong: true, ..context };
        }
        return context;
    };
    let mut wrong =
        |key, message: String| findings.error_at(&spot.key("defaults", &file.defaults), (key, defaults), message);
    if let Some(port) = defaults.port.get() {
        context.port = u16::try_from(*port).ok().filter(|port| *port != 0);
        if context.port.is_none() {
            wrong("port", format!("Default port out of range: {port}"));
        }
    }
    if let Some(weight) = defaults.weight.get() {
        context.weight = version.weight(*weight).unwrap_or_else(|| {
            wrong("weight", format!("Default weight out of range: {weight}"));
            Weight::ZERO
        });
    }
    if let Some(name) = defaults.sched.get() {
        context.scheduler = version.scheduler(name.as_ref());
        if context.scheduler.is_none() {
            wrong("sched", format!("invalid default scheduler: {}", shown(name.as_ref())));
        }
    }
    if let Some(word) = defaults.forward.get() {
        context.forward = version.forward(word.as_ref());
        if context.forward.is_none() {
            let word = shown(word.as_ref());
            wrong("forward", format!("invalid default forward: {word}. Allowed forwards are direct,nat,tunnel"));
        }
    }
    if let Some(message) = context.scheduler.as_ref().and_then(foreign_scheduler) {
        findings.warning_at(&spot.key("defaults", &file.defaults), ("sched", defaults), message);
    }
    context.scheduler = context.scheduler.filter(|_| !defaults.sched.is_broken());
    context.forward = context.forward.filter(|_| !defaults.forward.is_broken());
    context.are_defaults_wrong = defaults.is_damaged || findings.errors() != before;
    context
}
