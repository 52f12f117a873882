//! Turns a file as it was written into a state that a table can have.
//!
//! All mistakes are reported at once; an object with a mistake is left out of the state, the others are in it.

mod address;
mod object;
mod saved;
mod service;

use std::collections::HashMap;

pub(in crate::desired) use saved::{alone, destination, destination_id, service, service_id};

use super::globals::Singles;
use super::settings::{Context, Version, foreign_scheduler};
use super::spec::FileSpec;
use super::tree::Node;
use super::written::{Findings, Spot};
use super::{DesiredState, Diagnostic, Diagnostics, Place, Stage, escaped, print};
use crate::model::{ServiceId, Weight};

/// A file, and its findings so far.
#[derive(Debug)]
pub(in crate::desired) struct Document<'t> {
    pub(in crate::desired) file: FileSpec,
    /// The text that it was read from, if it was.
    pub(in crate::desired) root: Option<Node<'t>>,
    pub(in crate::desired) findings: Findings,
}

impl DesiredState {
    /// Checks a file and makes a state of it, together with the warnings.
    ///
    /// # Errors
    ///
    /// All mistakes, and the warnings; places are paths such as `services[2].destinations[0].weight`.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::DesiredState;
    /// use ipvs_rs::desired::spec::{FileSpec, ServiceSpec};
    ///
    /// let web = ServiceSpec { address: Some("tcp://192.0.2.10:99999".to_owned()), ..ServiceSpec::default() };
    /// let file = FileSpec { services: Some(vec![web]), ..FileSpec::default() };
    /// assert_eq!(
    ///     DesiredState::from_spec(&file).unwrap_err().to_string(),
    ///     "services[0].address: error: invalid port (99999) for service tcp://192.0.2.10:99999."
    /// );
    /// ```
    pub fn from_spec(file: &FileSpec) -> Result<(Self, Diagnostics), Diagnostics> {
        let document = Document { file: file.clone(), root: None, findings: Findings::default() };
        let (state, found) = lower(std::slice::from_ref(&document), false);
        let diagnostics: Diagnostics = document.findings.into_found().into_iter().chain(found).collect();
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok((state, diagnostics)) }
    }
}

/// Makes one state of several files; the findings that concern several of them are returned with it. With `merge`, a
/// service may stand in several places, each with some destinations.
pub(in crate::desired) fn lower(documents: &[Document<'_>], merge: bool) -> (DesiredState, Vec<Diagnostic>) {
    let mut lowering = Lowering { merge, ..Lowering::default() };
    for Document { file, root, findings } in documents {
        lowering.document(file, &Spot::file(findings, *root));
    }
    let found = lowering.check_whole();
    (lowering.state, found)
}

#[derive(Default)]
struct Lowering {
    merge: bool,
    state: DesiredState,
    /// Each service by identity: its place in the state, or `None` if it has a mistake, and where it was written.
    services: HashMap<ServiceId, (Option<usize>, Place)>,
    /// Each name with the service that has it, and where it was written.
    names: HashMap<String, (Option<ServiceId>, Place)>,
    singles: Singles,
    /// Each service of the state with where its address was written, and the settings that were written.
    written: Vec<(Place, u32)>,
}

impl Lowering {
    fn document(&mut self, file: &FileSpec, spot: &Spot<'_>) {
        let version = match file.version {
            None | Some(1) => Version::One,
            Some(2) => Version::Two,
            Some(other) => {
                spot.at("version").error(format_args!("unknown version {other}: there are 1 and 2"));
                Version::Two
            }
        };
        self.singles.read(file, spot, &mut self.state);
        let context = context(version, file, spot);
        let services = spot.at("services");
        for (spot, service) in services.items(file.services.as_ref()) {
            self.service(&context, service, &spot);
        }
    }

    /// Checks that are possible only when all files have been read.
    fn check_whole(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let mut error = |place: &Place, message| {
            found.push(Diagnostic::error(Stage::Validation, place.clone(), message));
        };
        let daemons = self.state.sync.as_ref().is_some_and(|daemons| !daemons.is_empty());
        for (service, (place, _)) in self.state.services.iter().zip(&self.written) {
            let id = service.id();
            let text = print::service_text(&id);
            if !self.singles.is_scope_wrong && !self.state.scope.covers(&id) {
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
}

/// The settings of a file for its elements.
fn context<'a>(version: Version, file: &'a FileSpec, spot: &Spot<'_>) -> Context<'a> {
    let before = spot.findings.errors();
    let mut context = Context { drain: file.drain.as_ref(), ..Context::new(version) };
    let spot = spot.at("defaults");
    let Some(defaults) = &file.defaults else {
        if spot.is_broken() {
            context = Context { scheduler: None, forward: None, are_defaults_wrong: true, ..context };
        }
        return context;
    };
    if let Some(port) = defaults.port {
        context.port = u16::try_from(port).ok().filter(|port| *port != 0);
        if context.port.is_none() {
            spot.at("port").error(format_args!("Default port out of range: {port}"));
        }
    }
    if let Some(weight) = defaults.weight {
        context.weight = version.weight(weight).unwrap_or_else(|| {
            spot.at("weight").error(format_args!("Default weight out of range: {weight}"));
            Weight::ZERO
        });
    }
    if let Some(name) = &defaults.sched {
        context.scheduler = version.scheduler(name);
        if context.scheduler.is_none() {
            spot.at("sched").error(format_args!("invalid default scheduler: {}", escaped(name)));
        }
    }
    if let Some(word) = &defaults.forward {
        context.forward = version.forward(word);
        if context.forward.is_none() {
            let word = escaped(word);
            let message = format!("invalid default forward: {word}. Allowed forwards are direct,nat,tunnel");
            spot.at("forward").error(message);
        }
    }
    if let Some(message) = context.scheduler.as_ref().and_then(foreign_scheduler) {
        spot.at("sched").warning(message);
    }
    context.scheduler = context.scheduler.filter(|_| !spot.at("sched").is_broken());
    context.forward = context.forward.filter(|_| !spot.at("forward").is_broken());
    context.are_defaults_wrong = spot.is_damaged() || spot.findings.errors() != before;
    context
}
