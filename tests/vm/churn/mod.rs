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
use std::time::{Duration, Instant};
use std::{env, fmt, thread};

use fastrand::Rng;
use ipvs_rs::error::ErrorKind;
use ipvs_rs::handle::Outcome;
use ipvs_rs::transport::Netns;
use ipvs_rs::{Destination, DestinationId, Error, Handle, Scheduler, Service, ServiceId};

use self::judge::{Judge, Tally};
use self::object::{Key, List, Object, destination, destinations, make_all, remove_all, service, services};
use self::reader::{Reader, spare_the_estimator};
use self::writers::{Pace, Work};
use crate::kernel;
use crate::namespaces::{Namespace, alone};

/// From slow, when all lists can be relied on, to fast, when hardly any long one can.
const PACES: [Pace; 4] = [Pace::PerTenPasses(1), Pace::PerTenPasses(5), Pace::PerTenPasses(30), Pace::Full];
/// How often a list is read until it can be relied on.
const ATTEMPTS: u32 = 10;

/// What is listed, and what of it comes and goes.
struct Scene {
    name: String,
    list: List,
    /// There must be this first; it is not listed.
    ground: Vec<Object>,
    /// There all the time.
    steady: Vec<Object>,
    /// Made and removed at random.
    others: Vec<Object>,
    fits: Fits,
    /// The writers disturb it.
    is_disturbed: bool,
}

/// Whether a list fits a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fits {
    Always,
    Sometimes,
    Never,
}

impl Scene {
    fn of_services(steady: u32, others: u32, fits: Fits) -> Self {
        Self {
            name: format!("{steady} services"),
            list: List::Services,
            ground: Vec::new(),
            steady: services(0..steady),
            others: services(steady..steady + others),
            fits,
            is_disturbed: true,
        }
    }

    fn of_destinations(steady: u32, others: u32, fits: Fits) -> Self {
        let ground = service(2);
        let id = ground.id;
        Self {
            name: format!("{steady} destinations"),
            list: List::Destinations(id),
            ground: vec![Object::Service(ground)],
            steady: destinations(id, 0..steady),
            others: destinations(id, steady..steady + others),
            fits,
            is_disturbed: true,
        }
    }

    /// Services of which one has many destinations and the others a few.
    fn of_everything() -> Self {
        let mut steady = services(0..50);
        let ids: Vec<ServiceId> = (0..50).map(|number| service(number).id).collect();
        steady.extend(destinations(ids[2], 0..150));
        steady.extend(ids.iter().flat_map(|id| destinations(*id, 1000..1003)));
        let mut others = services(100..120);
        others.extend(destinations(ids[2], 200..220));
        others.extend(destinations(ids[4], 200..210));
        let name = "50 services with 300 destinations".to_owned();
        Self {
            name,
            list: List::Everything,
            ground: Vec::new(),
            steady,
            others,
            fits: Fits::Sometimes,
            is_disturbed: true,
        }
    }

    fn make(&self, handle: &Handle) {
        for objects in [&self.ground, &self.steady] {
            make_all(handle, objects);
        }
    }

    /// Two writers with a share each, and with a handle of their own to this namespace.
    fn writers(&self, netns: &Netns) -> [(&[Object], Handle); 2] {
        let (one, other) = self.others.split_at(self.others.len() / 2);
        [one, other].map(|share| (share, Handle::builder().netns(netns.clone()).open().unwrap()))
    }

    /// Reads the list beside writers of every pace.
    fn read_beside(&self, writers: &[(&[Object], Handle)], reader: &Reader, chance: &mut Chance, sum: &mut Sum) {
        let judge = Judge::new(&self.steady, &self.others);
        let pass = reader.pass(self.list);
        for pace in PACES {
            let (work, mut tally) = (Work::default(), Tally::default());
            // What is long takes all attempts beside fast writers, and can hardly ever be relied on.
            let is_hopeless = self.fits == Fits::Never && matches!(pace, Pace::PerTenPasses(10..) | Pace::Full);
            let is_long = matches!(self.list, List::Everything) && pace == Pace::Full;
            let lists = if is_hopeless || is_long { chance.lists.div_ceil(4) } else { chance.lists };
            let must_be_wrong = self.fits == Fits::Never && pace == Pace::Full && self.is_disturbed;
            work.during(writers, pace, pass, &mut chance.rng, || {
                (0..lists).for_each(|_| read(self.list, &judge, reader, &mut tally));
                while must_be_wrong && tally.pieced_wrong == 0 && tally.pieced < 500 {
                    read_once(self.list, &judge, reader, &mut tally);
                }
            });
            sum.add(&format!("{}, {pace}", self.name), &tally, &work);
            if self.fits == Fits::Always || pace == PACES[0] {
                assert!(tally.accepted() >= chance.lists / 2, "most can be relied on");
            }
            if must_be_wrong {
                assert!(tally.pieced_wrong > 0, "what is wrong with lists that are not said to be right is seen");
            }
        }
    }
}

fn read_once(list: List, judge: &Judge<'_>, reader: &Reader, tally: &mut Tally) {
    let (rows, reading) = list.once(&reader.handle);
    tally.read(reading, &judge.verdict(&rows));
}

/// Reads a list once, and until it can be relied on.
fn read(list: List, judge: &Judge<'_>, reader: &Reader, tally: &mut Tally) {
    read_once(list, judge, reader, tally);
    let before = reader.requests();
    match list.stable(&reader.handle, ATTEMPTS) {
        Ok(rows) => tally.rely(reader.requests() - before, &judge.verdict(&rows)),
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
    let scenes = [
        Scene::of_services(60, 30, Fits::Always),
        Scene::of_services(80, 40, Fits::Sometimes),
        Scene::of_services(chance.many, 200, Fits::Never),
        Scene::of_destinations(50, 30, Fits::Always),
        Scene::of_destinations(75, 40, Fits::Sometimes),
        Scene::of_destinations(chance.many, 200, Fits::Never),
        Scene::of_everything(),
    ];
    for scene in scenes {
        alone(|| {
            let reader = Reader::open(1);
            scene.make(&reader.handle);
            scene.read_beside(&scene.writers(&Netns::current()), &reader, &mut chance, &mut sum);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_another_namespace_changes() {
    let mut chance = Chance::new();
    let mut sum = Sum::default();
    for (count, fits) in [(60, Fits::Always), (chance.many, Fits::Never)] {
        alone(|| {
            let reader = Reader::open(1);
            // Before Linux 7 one table holds the services of all namespaces.
            let is_disturbed = kernel::version() < (7, 0);
            let here = Scene { is_disturbed, ..Scene::of_services(count, 0, fits) };
            here.make(&reader.handle);
            let other = Namespace::new();
            other.run(spare_the_estimator);
            let netns = Netns::path(other.path());
            let there =
                Scene { steady: services(2000..2002), others: services(3000..3200), ..Scene::of_services(0, 0, fits) };
            there.make(&Handle::builder().netns(netns.clone()).open().unwrap());
            here.read_beside(&there.writers(&netns), &reader, &mut chance, &mut sum);

            let judge = Judge::new(&here.steady, &[]);
            let (work, mut tally) = (Work::default(), Tally::default());
            work.during_the_end_of_namespaces(&there.others, || {
                (0..chance.lists).for_each(|_| read(here.list, &judge, &reader, &mut tally));
            });
            sum.add(&format!("{}, namespaces that come and go", here.name), &tally, &work);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_the_kernel_resizes_its_table() {
    let chance = Chance::new();
    let mut sum = Sum::default();
    for (few, many) in [(10, 80), (100, 1000), (300, chance.many * 6)] {
        alone(|| {
            let reader = Reader::open(1);
            let (steady, others) = (services(0..few), services(few..many));
            make_all(&reader.handle, &steady);
            let all = [steady.as_slice(), others.as_slice()].concat();
            let (grown, shrunk) = (Judge::new(&all, &[]), Judge::new(&steady, &[]));
            let (work, mut tally) = (Work::default(), Tally::default());
            // It does that in the background, for less than half a second, and nobody writes meanwhile.
            let mut read_for_a_while = |judge: &Judge<'_>| {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(500) {
                    read(List::Services, judge, &reader, &mut tally);
                }
            };
            for _ in 0..chance.lists.div_ceil(10) {
                make_all(&reader.handle, &others);
                read_for_a_while(&grown);
                remove_all(&reader.handle, &others);
                read_for_a_while(&shrunk);
            }
            sum.add(&format!("after {few} services became {many} and back"), &tally, &work);

            // Again and again, by somebody else.
            let judge = Judge::new(&steady, &others);
            let (work, mut tally) = (Work::default(), Tally::default());
            work.during_changes_in_bulk(&others, || {
                (0..chance.lists).for_each(|_| read(List::Services, &judge, &reader, &mut tally));
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
        scene.read_beside(&scene.writers(&Netns::current()), &reader, &mut chance, &mut sum);
    });
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_ends_near_the_end_of_a_datagram_lacks_nothing() {
    alone(|| {
        let reader = Reader::open(1);
        let id = service(2).id;
        let is_short = |object: &Object| matches!(object, Object::Service(service) if service.id.mark().is_some());
        let cases = [
            (List::Services, services(0..120), 80),
            (List::Services, services(0..300).into_iter().filter(is_short).collect(), 80),
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
                let is_moved = kernel::version() >= (7, 0) && !reading.is_complete();
                assert!(verdict.is_right() || is_moved, "{list:?} of {}, {reading}: {verdict}", count + 1);
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
    let scene = Scene::of_destinations(chance.many, 200, Fits::Never);
    let id = service(2).id;
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        scene.make(handle);
        let judge = Judge::new(&scene.steady, &scene.others);
        let mut there: HashMap<DestinationId, Destination> =
            (0..chance.many).map(|number| destination(&id, number)).map(|server| (server.id, server)).collect();
        let mut answers = Answers::default();
        let (mut rng, mut left_out) = (chance.rng.fork(), 0);
        let work = Work::default();
        work.during(&scene.writers(&Netns::current()), Pace::Full, Duration::ZERO, &mut chance.rng, || {
            for round in 0..chance.lists * 3 {
                // One that a list has just left out is likely to be left out again.
                let missing = judge.verdict(&scene.list.once(handle).0).missing;
                left_out += u32::from(!missing.is_empty());
                let target = match rng.choice(missing) {
                    Some(Key::Destination(_, target)) => target,
                    _ => destination(&id, rng.u32(..chance.many)).id,
                };
                let server = there.get_mut(&target).unwrap();

                let found = handle.get_destination(&id, &target).map(|found| found.map(|entry| entry.destination));
                answers.expect("get", &found, &Some(server.clone()));
                let found = handle.find_destinations(&id).map(|found| found.is_some());
                answers.expect("get all", &found, &true);
                let outcome = handle.modify_destination(&id, &target, |_| ());
                answers.expect("modify nothing", &outcome, &Outcome::Unchanged);
                answers.expect("ensure", &handle.ensure_destination(&id, server), &Outcome::Unchanged);

                let other = server.clone().weight(2 * round + 2).unwrap();
                let outcome = handle.modify_destination(&id, &target, |server| server.weight = other.weight);
                if answers.expect("modify", &outcome, &Outcome::Updated) {
                    *server = other;
                }
                let other = server.clone().weight(2 * round + 3).unwrap();
                if answers.expect("ensure another", &handle.ensure_destination(&id, &other), &Outcome::Updated) {
                    *server = other;
                }
            }
        });
        assert!(left_out > 0, "lists leave out what is there");
        let (many, rounds) = (chance.many, chance.lists * 3);
        answers.end(&format!("one of {many} destinations ({left_out} lists of {rounds} left out some)"), &work);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn service_that_is_there_is_never_called_missing_while_others_write() {
    let mut chance = Chance::new();
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        make_all(handle, &services(0..100));
        let mut there: Vec<Service> = (0..100).map(service).collect();
        let mut answers = Answers::default();
        let work = Work::default();
        work.during_changes_in_bulk(&services(100..2000), || {
            for _ in 0..chance.lists * 20 {
                let service = &mut there[chance.rng.usize(..100)];
                let id = service.id;
                let found = handle.get_service(&id).map(|found| found.map(|entry| entry.service));
                answers.expect("get", &found, &Some(service.clone()));
                answers.expect("get none", &handle.find_destinations(&id), &Some(Vec::new()));
                answers.expect("modify nothing", &handle.modify_service(&id, |_| ()), &Outcome::Unchanged);
                answers.expect("ensure", &handle.ensure_service(service), &Outcome::Unchanged);

                for change in [set_by_modify, set_by_ensure] {
                    let mut other = service.clone();
                    other.scheduler = if other.scheduler == Scheduler::Rr { Scheduler::None } else { Scheduler::Rr };
                    if answers.expect("set", &change(handle, &other), &Outcome::Updated) {
                        *service = other;
                    }
                }
            }
        });
        answers.end("one of 100 to 2000 services", &work);
    });
}

fn set_by_modify(handle: &Handle, service: &Service) -> Result<Outcome, Error> {
    handle.modify_service(&service.id, |there| there.scheduler = service.scheduler)
}

fn set_by_ensure(handle: &Handle, service: &Service) -> Result<Outcome, Error> {
    handle.ensure_service(service)
}

/// What came of calls about things that are there all the time.
#[derive(Debug, Default)]
struct Answers {
    right: u32,
    unstable: u32,
    lies: Vec<String>,
}

impl Answers {
    /// Notes an answer, and returns whether there is one.
    fn expect<T: fmt::Debug + PartialEq>(&mut self, what: &str, result: &Result<T, Error>, expected: &T) -> bool {
        match result {
            Ok(answer) if answer == expected => self.right += 1,
            Err(error) if error.kind() == ErrorKind::Unstable => self.unstable += 1,
            _ => self.lies.push(format!("{what}: {result:?}")),
        }
        result.is_ok()
    }

    fn end(&self, what: &str, work: &Work) {
        let Self { right, unstable, lies } = self;
        let (count, changes) = (lies.len(), work.changes());
        kernel::note(&format!("{what}: {right} right answers, {count} lies, {unstable} unstable; {changes} changes"));
        assert_eq!(*lies, [""; 0]);
        assert!(*right > *unstable, "most calls have an answer");
    }
}

/// How often each thing is tried, and what is left to chance.
struct Chance {
    lists: u32,
    /// How many rows a list has that never fits a datagram.
    many: u32,
    rng: Rng,
}

impl Chance {
    fn new() -> Self {
        let processors = thread::available_parallelism().unwrap().get();
        assert!(processors >= 2, "on one processor a list is hardly ever disturbed");
        let number = |name| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
        let lists = number("IPVS_RS_LISTS").unwrap_or(4);
        let seed = number("IPVS_RS_SEED").unwrap_or_else(|| fastrand::u64(..));
        kernel::note(&format!("IPVS_RS_SEED={seed} IPVS_RS_LISTS={lists}"));
        let lists = lists.try_into().unwrap();
        Self { lists, many: if lists < 50 { 300 } else { 1000 }, rng: Rng::with_seed(seed) }
    }
}

/// What came of all cases together.
#[derive(Default)]
struct Sum(Tally);

impl Sum {
    fn add(&mut self, name: &str, tally: &Tally, work: &Work) {
        kernel::note(&format!("{name}: {tally}; {} changes", work.changes()));
        tally.wrong.iter().take(3).for_each(|what| kernel::note(&format!("wrong: {what}")));
        self.0.add(tally);
    }

    fn end(self) {
        kernel::note(&format!("together: {}", self.0));
        assert_eq!(self.0.wrong, [""; 0]);
    }
}
