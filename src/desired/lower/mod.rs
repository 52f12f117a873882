//! From a file as it was written to a state that a table can have.
//!
//! Everything that is wrong is found at once; an object with a mistake is left out of the state, the others are in it.

mod address;
mod destination;
mod findings;
mod merge;
mod persistence;
mod service;
mod settings;
mod version;

use std::collections::{BTreeSet, HashMap};

use findings::Findings;
use version::Version;

use super::{DesiredState, Diagnostics, Drain, Place, spec};
use crate::model::{ForwardMethod, Scheduler, ServiceId, Weight};

/// A file and where its values stand.
pub(in crate::desired) struct Document<'a> {
    pub(in crate::desired) file: &'a spec::File,
    /// The place of a path such as `services[2].address`; asked for only when there is something to say.
    pub(in crate::desired) place: &'a dyn Fn(&str) -> Place,
    /// Paths of values that could not be read: whatever there is to say of them was said.
    pub(in crate::desired) broken: &'a BTreeSet<String>,
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
        let place = |path: &str| Place { path: path.to_owned(), ..Place::default() };
        let (state, diagnostics) = lower(&[Document { file, place: &place, broken: &BTreeSet::new() }], false);
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok((state, diagnostics)) }
    }
}

/// Makes one state of several files. With `merge`, a service may stand in several of them, each with some destinations.
pub(in crate::desired) fn lower(documents: &[Document<'_>], merge: bool) -> (DesiredState, Diagnostics) {
    let mut lowering = Lowering { merge, ..Lowering::default() };
    for document in documents {
        lowering.document(document);
    }
    lowering.check_whole();
    (lowering.state, lowering.diagnostics)
}

#[derive(Default)]
struct Lowering {
    merge: bool,
    state: DesiredState,
    diagnostics: Diagnostics,
    /// Each service by identity: its place in the state, or none if it has a mistake, and where it was written.
    services: HashMap<ServiceId, (Option<usize>, Place)>,
    /// Each name with the service that has it, and where it was written.
    names: HashMap<String, (Option<ServiceId>, Place)>,
    /// Where keys stand that only one file may have.
    singles: HashMap<&'static str, Place>,
    /// Whether nobody knows what is managed.
    is_scope_wrong: bool,
    /// Each service of the state with where its address was written.
    places: Vec<Place>,
    /// Each service of the state with the settings that somebody wrote.
    said: Vec<merge::Said>,
}

/// What holds for the elements of one file.
struct Context {
    version: Version,
    port: Option<u16>,
    weight: Weight,
    /// Nothing if the one of the defaults is wrong.
    scheduler: Option<Scheduler>,
    /// Nothing if the one of the defaults is wrong.
    forward: Option<ForwardMethod>,
    /// Whether something of the defaults is wrong, so that no element is what it should be.
    are_defaults_wrong: bool,
    /// How destinations are drained, as far as the file says.
    drain: spec::Drain,
}

impl Lowering {
    fn document(&mut self, document: &Document<'_>) {
        let mut findings = Findings::new(document);
        let file = document.file;
        let version = Version::of(file.version, &mut findings);
        self.settings(file, &mut findings);
        let context = Context::new(version, file, &mut findings);
        for (place, service) in file.services.iter().flatten().enumerate() {
            self.service(&context, place, service, &mut findings);
        }
        self.diagnostics.extend(findings.into_diagnostics());
    }

    /// What can be seen only when all files have been read.
    fn check_whole(&mut self) {
        let daemons = self.state.sync.as_ref().is_some_and(|daemons| !daemons.is_empty());
        for (service, place) in self.state.services.iter().zip(&self.places) {
            let id = service.id();
            let text = super::service_text(&id);
            if !self.is_scope_wrong && !self.state.scope.covers(&id) {
                let message = format!("service {text} is outside of the scope: it would never be compared or deleted");
                self.diagnostics.push(findings::invalid(place.clone(), message));
            }
            let mixed = service.destinations.iter().find(|wanted| wanted.id().family() != id.family());
            if let Some(mixed) = mixed.filter(|_| daemons) {
                let message = format!(
                    "destination {} of service {text} is of the other address family, which the kernel refuses while a \
                     synchronization daemon runs: see sync",
                    mixed.id()
                );
                self.diagnostics.push(findings::invalid(place.clone(), message));
            }
        }
    }

    /// Whether this is the first file with a key; says so if it is not.
    fn is_first(&mut self, key: &'static str, findings: &mut Findings<'_>) -> bool {
        let place = findings.place(key);
        if let Some(first) = self.singles.get(key) {
            let message = format!("{key} stands in another file as well ({first}): only one may have it");
            findings.error(key, message);
            false
        } else {
            self.singles.insert(key, place);
            true
        }
    }
}

impl Context {
    fn new(version: Version, file: &spec::File, findings: &mut Findings<'_>) -> Self {
        let before = findings.errors();
        let is_broken = |key| findings.is_broken("defaults") || findings.is_key_broken("defaults", key);
        let mut context = Self {
            version,
            port: None,
            weight: Weight::ZERO,
            scheduler: (!is_broken("sched")).then_some(Scheduler::Rr),
            forward: (!is_broken("forward")).then_some(ForwardMethod::DirectRoute),
            are_defaults_wrong: ["port", "weight", "sched", "forward"].into_iter().any(is_broken),
            drain: file.drain.clone().unwrap_or_default(),
        };
        let Some(spec::Defaults { port, weight, sched, forward }) = &file.defaults else { return context };
        if let Some(port) = port {
            context.port = u16::try_from(*port).ok().filter(|port| *port != 0);
            if context.port.is_none() {
                findings.error("defaults.port", format!("Default port out of range: {port}"));
            }
        }
        if let Some(weight) = weight {
            match version.weight(*weight) {
                Some(weight) => context.weight = weight,
                None => findings.error("defaults.weight", format!("Default weight out of range: {weight}")),
            }
        }
        if let Some(name) = sched {
            context.scheduler = version.scheduler(name);
            match &context.scheduler {
                Some(scheduler) => version::warn_of_scheduler(scheduler, "defaults.sched", findings),
                None => findings.error("defaults.sched", format!("invalid default scheduler: {name}")),
            }
        }
        if let Some(word) = forward {
            context.forward = version.forward(word);
            if context.forward.is_none() {
                findings.error(
                    "defaults.forward",
                    format!("invalid default forward: {word}. Allowed forwards are direct,nat,tunnel"),
                );
            }
        }
        context.are_defaults_wrong |= findings.errors() != before;
        context
    }

    fn drain(&self, own: Option<&spec::Drain>, path: &str, findings: &mut Findings<'_>) -> Option<Drain> {
        let own = own?;
        let all = spec::Drain {
            timeout: own.timeout.or(self.drain.timeout),
            poll: own.poll.or(self.drain.poll),
            wait: own.wait.clone().or_else(|| self.drain.wait.clone()),
            on_timeout: own.on_timeout.clone().or_else(|| self.drain.on_timeout.clone()),
        };
        settings::drain(&all, path, findings)
    }
}
