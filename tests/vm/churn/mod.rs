//! Lists that are read while others change the table, or the kernel moves it: those that are said to be right are, and
//! nothing is called missing that is there.
//!
//! Two processors are needed, so that the writers write while the kernel makes a list. `IPVS_RS_LISTS` says how often
//! each thing is listed, `IPVS_RS_SEED` repeats what the writers choose.

mod judge;
mod object;
mod reader;
mod writers;

use std::collections::{BTreeSet, HashMap};
use std::{env, fmt, thread};
use std::time::{Duration, Instant};

use fastrand::Rng;
use ipvs_rs::error::ErrorKind;
use ipvs_rs::handle::Outcome;
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, DestinationId, Error, Handle, Scheduler, Service, ServiceId};

use self::judge::{Judge, Tally};
use self::object::{Key, List, Object, destination, destinations, make_all, remove_all, service, services};
use self::reader::Reader;
use self::writers::{Pace, Work};
use crate::kernel;
use crate::namespaces::{Namespace, alone};

/// Slow, so that most lists can be relied on, to fast, when hardly any long one can.
const PACES: [Pace; 4] = [Pace::PerSecond(5), Pace::PerSecond(50), Pace::PerSecond(800), Pace::Full];
/// How often a list is read until it can be relied on.
const ATTEMPTS: u32 = 10;

/// What is listed, and who changes it.
struct Scene {
    name: &'static str,
    list: List,
    /// There must be this first.
    ground: Vec<Object>,
    /// There all the time.
    steady: Vec<Object>,
    /// Made and removed at random.
    others: Vec<Object>,
    /// It never fits a datagram.
    is_long: bool,
}

impl Scene {
    fn of_services(name: &'static str, steady: u32, others: u32) -> Self {
        Self {
            name,
            list: List::Services,
            ground: Vec::new(),
            steady: services(0..steady),
            others: services(steady..steady + others),
            is_long: steady > 200,
        }
    }

    fn of_destinations(name: &'static str, steady: u32, others: u32) -> Self {
        let ground = service(2);
        let id = ground.id;
        Self {
            name,
            list: List::Destinations(id),
            ground: vec![Object::Service(ground)],
            steady: destinations(id, 0..steady),
            others: destinations(id, steady..steady + others),
            is_long: steady > 200,
        }
    }

    /// Some services, of which the first has many destinations and the others a few.
    fn of_everything() -> Self {
        let mut steady = services(0..50);
        let ids: Vec<ServiceId> = (0..50).map(|number| service(number).id).collect();
        steady.extend(destinations(ids[2], 0..150));
        steady.extend(ids.iter().flat_map(|id| destinations(*id, 1000..1003)));
        let mut others = services(100..120);
        others.extend(destinations(ids[2], 200..220));
        others.extend(destinations(ids[4], 200..210));
        Self { name: "tables", list: List::Everything, ground: Vec::new(), steady, others, is_long: false }
    }

    fn all() -> [Self; 7] {
        [
            Self::of_services("60 services", 60, 30),
            // Around the number that fits a datagram.
            Self::of_services("80 services", 80, 40),
            Self::of_services("1000 services", 1000, 200),
            Self::of_destinations("50 destinations", 50, 30),
            Self::of_destinations("75 destinations", 75, 40),
            Self::of_destinations("1000 destinations", 1000, 200),
            Self::of_everything(),
        ]
    }

    fn make(&self, handle: &Handle) {
        for objects in [&self.ground, &self.steady] {
            make_all(handle, objects);
        }
    }

    /// Reads the list once, and until it can be relied on, so often; each that is said to be right must be.
    fn read(&self, reader: &Reader, lists: u32, tally: &mut Tally) {
        let judge = Judge::new(&self.steady, &self.others);
        for _ in 0..lists {
            read(self.list, &judge, reader, tally);
        }
    }

    /// Two writers with a share each, and with a handle of their own to this namespace.
    fn writers(&self, netns: &Netns) -> [(&[Object], Handle); 2] {
        let (one, other) = self.others.split_at(self.others.len() / 2);
        [one, other].map(|share| (share, Handle::builder().netns(netns.clone()).open().unwrap()))
    }
}

fn read(list: List, judge: &Judge<'_>, reader: &Reader, tally: &mut Tally) {
    let (rows, reading) = list.once(&reader.handle);
    if reading.is_complete() {
        tally.accept(&judge.verdict(&rows));
    } else {
        tally.doubt(&judge.verdict(&rows));
    }
    let before = reader.requests();
    match list.stable(&reader.handle, ATTEMPTS) {
        Ok(rows) => {
            tally.accept(&judge.verdict(&rows));
            tally.confirmed += 1;
            tally.requests += reader.requests() - before;
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unstable, "{error}");
            tally.unstable += 1;
        }
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_others_write() {
    let mut chance = Chance::new();
    let mut sum = Sum::default();
    for scene in Scene::all() {
        alone(|| {
            let reader = Reader::open(1);
            scene.make(&reader.handle);
            for pace in PACES {
                let work = Work::default();
                let mut tally = Tally::default();
                work.during(&scene.writers(&Netns::current()), pace, &mut chance.rng, || {
                    scene.read(&reader, chance.lists, &mut tally);
                });
                sum.add(&format!("{}, {pace}", scene.name), &tally, &work);
                if scene.is_long && matches!(pace, Pace::Full) {
                    assert!(tally.pieced_wrong > 0, "wrong lists are seen where nothing is said of them");
                }
                if !scene.is_long || matches!(pace, Pace::PerSecond(5)) {
                    assert!(tally.accepted >= chance.lists / 2, "lists can be relied on");
                }
            }
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_another_namespace_changes() {
    let mut chance = Chance::new();
    let mut sum = Sum::default();
    for steady in [60, 1000] {
        alone(|| {
            let reader = Reader::open(1);
            let scene = Scene::of_services("", steady, 0);
            scene.make(&reader.handle);
            let other = Namespace::new();
            let there = Scene { steady: services(2000..2002), others: services(3000..3200), ..Scene::of_services("", 0, 0) };
            let netns = Netns::path(other.path());
            there.make(&Handle::builder().netns(netns.clone()).open().unwrap());
            for pace in PACES {
                let work = Work::default();
                let mut tally = Tally::default();
                work.during(&there.writers(&netns), pace, &mut chance.rng, || {
                    scene.read(&reader, chance.lists, &mut tally);
                });
                sum.add(&format!("{steady} services, {pace} elsewhere"), &tally, &work);
                if scene.is_long && matches!(pace, Pace::Full) && kernel::version() < (7, 0) {
                    assert!(tally.pieced_wrong > 0, "wrong lists are seen where nothing is said of them");
                }
            }
            let work = Work::default();
            let mut tally = Tally::default();
            work.during_the_end_of_namespaces(&there.others, || scene.read(&reader, chance.lists, &mut tally));
            sum.add(&format!("{steady} services, namespaces that come and go"), &tally, &work);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_the_kernel_resizes_its_table() {
    let chance = Chance::new();
    let mut sum = Sum::default();
    for (few, many) in [(10, 80), (100, 1000), (300, 6000)] {
        alone(|| {
            let reader = Reader::open(1);
            let (steady, others) = (services(0..few), services(few..many));
            make_all(&reader.handle, &steady);
            let all = [steady.as_slice(), others.as_slice()].concat();
            let (grown, shrunk) = (Judge::new(&all, &[]), Judge::new(&steady, &[]));
            let mut tally = Tally::default();
            // It does that in the background, for less than half a second, and nobody writes meanwhile.
            let mut read_for_a_while = |judge: &Judge<'_>| {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(500) {
                    read(List::Services, judge, &reader, &mut tally);
                }
            };
            let work = Work::default();
            for _ in 0..chance.lists.div_ceil(10) {
                make_all(&reader.handle, &others);
                read_for_a_while(&grown);
                remove_all(&reader.handle, &others);
                read_for_a_while(&shrunk);
            }
            sum.add(&format!("after {few} services became {many} and back"), &tally, &work);

            // Again and again, by somebody else.
            let judge = Judge::new(&steady, &others);
            let mut tally = Tally::default();
            work.during_changes_in_bulk(&others, || {
                for _ in 0..chance.lists {
                    read(List::Services, &judge, &reader, &mut tally);
                }
            });
            sum.add(&format!("while {few} services become {many} and back"), &tally, &work);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn table_that_is_said_to_be_right_is_with_several_readers_too() {
    let mut chance = Chance::new();
    let mut sum = Sum::default();
    alone(|| {
        let reader = Reader::open(2);
        let scene = Scene::of_everything();
        scene.make(&reader.handle);
        for pace in PACES {
            let work = Work::default();
            let mut tally = Tally::default();
            work.during(&scene.writers(&Netns::current()), pace, &mut chance.rng, || {
                scene.read(&reader, chance.lists, &mut tally);
            });
            sum.add(&format!("tables with two readers, {pace}"), &tally, &work);
        }
    });
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_ends_near_the_end_of_a_datagram_lacks_nothing() {
    alone(|| {
        let reader = Reader::open(1);
        let id = service(2).id;
        let cases = [
            (List::Services, services(0..120), 80),
            // A long row behind many short ones.
            (List::Services, services(0..600).into_iter().filter(|object| is_short(object)).collect(), 90),
            (List::Destinations(id), destinations(id, 0..110), 15),
        ];
        for (list, objects, first) in cases {
            reader.handle.flush().unwrap();
            if let List::Destinations(_) = list {
                make_all(&reader.handle, &[Object::Service(service(2))]);
            }
            let mut readings = BTreeSet::new();
            make_all(&reader.handle, &objects[..first]);
            for count in first..objects.len() {
                objects[count].make(&reader.handle).unwrap();
                let (rows, reading) = list.once(&reader.handle);
                let verdict = Judge::new(&objects[..=count], &[]).verdict(&rows);
                assert!(verdict.is_right(), "{list:?} of {}: {verdict}", count + 1);
                readings.insert(reading.is_complete());
            }
            assert_eq!(readings, BTreeSet::from([false, true]), "shorter ones and longer ones");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn destination_that_is_there_is_never_called_missing_while_others_write() {
    let mut chance = Chance::new();
    let scene = Scene::of_destinations("", 1000, 200);
    let List::Destinations(id) = scene.list else { unreachable!() };
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        scene.make(handle);
        let judge = Judge::new(&scene.steady, &scene.others);
        let mut servers: HashMap<DestinationId, Destination> =
            (0..1000).map(destination).map(|server| (server.id, server)).collect();
        let mut answers = Answers::default();
        let (mut rng, mut left_out) = (chance.rng.fork(), 0);
        let work = Work::default();
        work.during(&scene.writers(&Netns::current()), Pace::Full, &mut chance.rng, || {
            for round in 0..chance.lists * 20 {
                // One that a list has just left out is likely to be left out again.
                let missing = judge.verdict(&scene.list.once(handle).0).missing;
                left_out += u32::from(!missing.is_empty());
                let target = match rng.choice(missing) {
                    Some(Key::Destination(_, id)) => id,
                    _ => destination(rng.u32(..1000)).id,
                };
                let server = servers.get_mut(&target).unwrap();
                let other = server.clone().weight(round + 2).unwrap();
                let unchanged = |outcome: Outcome| outcome == Outcome::Unchanged;
                let updated = |outcome: Outcome| outcome == Outcome::Updated;
                let set = |destination: &mut Destination| destination.weight = other.weight;
                match round % 6 {
                    0 => answers.check("get", handle.get_destination(&id, &target), |found| {
                        found.is_some_and(|entry| entry.destination == *server)
                    }),
                    1 => answers.check("get all", handle.get_destinations_of_existing(&id), |found| found.is_some()),
                    2 => answers.check("modify nothing", handle.modify_destination(&id, &target, |_| ()), unchanged),
                    3 => answers.check("ensure what is", handle.ensure_destination(&id, server), unchanged),
                    4 => answers.check("modify", handle.modify_destination(&id, &target, set), |outcome| {
                        *server = other;
                        updated(outcome)
                    }),
                    _ => answers.check("ensure", handle.ensure_destination(&id, &other), |outcome| {
                        server.weight = other.weight;
                        updated(outcome)
                    }),
                };
            }
        });
        assert!(left_out > 0, "lists leave out what is there");
        answers.end(&format!("destinations of 1000; {left_out} lists left out some"), &work);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn service_that_is_there_is_never_called_missing_while_others_write() {
    let chance = Chance::new();
    let mut rng = chance.rng.clone();
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        make_all(handle, &services(0..100));
        let mut there: Vec<Service> = (0..100).map(service).collect();
        let mut answers = Answers::default();
        let work = Work::default();
        work.during_changes_in_bulk(&services(100..2000), || {
            for round in 0..chance.lists * 100 {
                let service = &mut there[rng.usize(..100)];
                let id = service.id;
                let mut other = service.clone();
                other.scheduler = if other.scheduler == Scheduler::Rr { Scheduler::None } else { Scheduler::Rr };
                let unchanged = |outcome: Outcome| outcome == Outcome::Unchanged;
                let set = |service: &mut Service| service.scheduler = other.scheduler;
                match round % 6 {
                    0 => answers.check("get", handle.get_service(&id), |found| {
                        found.is_some_and(|entry| entry.service == *service)
                    }),
                    1 => answers.check("get none", handle.get_destinations_of_existing(&id), |found| {
                        found.is_some_and(|destinations| destinations.is_empty())
                    }),
                    2 => answers.check("modify nothing", handle.modify_service(&id, |_| ()), unchanged),
                    3 => answers.check("ensure what is", handle.ensure_service(service), unchanged),
                    4 => answers.check("modify", handle.modify_service(&id, set), |outcome| {
                        *service = other.clone();
                        outcome == Outcome::Updated
                    }),
                    _ => answers.check("ensure", handle.ensure_service(&other), |outcome| {
                        *service = other.clone();
                        outcome == Outcome::Updated
                    }),
                };
            }
        });
        answers.end("services of up to 2000", &work);
    });
}

/// What came of calls about things that are there all the time.
#[derive(Debug, Default)]
struct Answers {
    right: u32,
    unstable: u32,
    lies: Vec<String>,
}

impl Answers {
    fn check<T: fmt::Debug + Clone>(&mut self, what: &str, result: Result<T, Error>, is_right: impl FnOnce(T) -> bool) {
        match result {
            Err(error) if error.kind() == ErrorKind::Unstable => self.unstable += 1,
            Err(error) => self.lies.push(format!("{what}: {error}")),
            Ok(answer) => {
                let text = format!("{what}: {answer:?}");
                if is_right(answer) {
                    self.right += 1;
                } else {
                    self.lies.push(text);
                }
            }
        }
    }

    fn end(&self, what: &str, work: &Work) {
        let Self { right, unstable, lies } = self;
        let changes = work.changes();
        kernel::note(&format!("{what}: {right} right answers, {} lies, {unstable} unstable; {changes} changes", lies.len()));
        assert_eq!(*lies, [""; 0]);
        assert!(*right > *unstable, "most calls have an answer");
    }
}

/// How often each thing is tried, and what is left to chance.
struct Chance {
    lists: u32,
    rng: Rng,
}

impl Chance {
    fn new() -> Self {
        let processors = thread::available_parallelism().unwrap().get();
        assert!(processors >= 2, "on one processor a list is hardly ever disturbed");
        let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        let lists = number("IPVS_RS_LISTS").unwrap_or(5);
        let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
        kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_LISTS={lists}"));
        Self { lists: lists.try_into().unwrap(), rng: Rng::with_seed(seed) }
    }
}

/// What came of all cases together.
#[derive(Default)]
struct Sum(Tally);

impl Sum {
    fn add(&mut self, name: &str, tally: &Tally, work: &Work) {
        kernel::note(&format!("{name}: {tally}; {} changes", work.changes()));
        self.0.add(tally);
    }

    fn end(self) {
        kernel::note(&format!("together: {}", self.0));
        assert_eq!(self.0.wrong, [""; 0]);
    }
}

fn is_short(object: &Object) -> bool {
    matches!(object, Object::Service(service) if service.id.mark().is_some())
}
