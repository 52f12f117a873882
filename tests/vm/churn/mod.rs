//! Lists that are read while others change the table, or the kernel moves it: those that are said to be right are, and
//! nothing is called missing that is there.
//!
//! Two processors are needed, so that the writers write while the kernel makes a list. `IPVS_RS_LISTS` says how often
//! each thing is listed, `IPVS_RS_SEED` repeats what the writers choose.

mod checker;
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

use self::checker::{Checker, Tally};
use self::object::{Key, List, Object, destination, destinations, make_all, remove_all, service, services};
use self::reader::{Reader, spare_the_estimator};
use self::writers::{WriteRate, Writers};
use crate::kernel;
use crate::namespaces::{Namespace, alone};

/// From slow, when all lists can be relied on, to fast, when hardly any long one can.
const WRITE_RATES: [WriteRate; 4] =
    [WriteRate::PerTenPasses(1), WriteRate::PerTenPasses(5), WriteRate::PerTenPasses(30), WriteRate::Full];
/// How often a list is read until it can be relied on.
const ATTEMPTS: u32 = 10;

/// The listed objects, those that stay and those that come and go.
struct Workload {
    name: String,
    list: List,
    /// There must be this first; it is not listed.
    ground: Vec<Object>,
    /// There all the time.
    steady: Vec<Object>,
    /// Made and removed at random.
    others: Vec<Object>,
    fits: FitsDatagram,
    /// The writers disturb it.
    is_disturbed: bool,
}

/// Whether a list fits a datagram.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum FitsDatagram {
    Always,
    Sometimes,
    Never,
}

impl Workload {
    fn of_services(steady: u32, others: u32, fits: FitsDatagram) -> Self {
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

    fn of_destinations(steady: u32, others: u32, fits: FitsDatagram) -> Self {
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
            fits: FitsDatagram::Sometimes,
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

    /// Reads the list during writes of every rate.
    fn read_beside(&self, writers: &[(&[Object], Handle)], reader: &Reader, random: &mut RandomPlan, sum: &mut Sum) {
        let checker = Checker::new(&self.steady, &self.others);
        let pass = reader.pass(self.list);
        for rate in WRITE_RATES {
            let (work, mut tally) = (Writers::default(), Tally::default());
            // A long list takes all attempts with fast writers, and is hardly ever consistent.
            let is_hopeless =
                self.fits == FitsDatagram::Never && matches!(rate, WriteRate::PerTenPasses(10..) | WriteRate::Full);
            let is_long = matches!(self.list, List::Everything) && rate == WriteRate::Full;
            let lists = if is_hopeless || is_long { random.lists.div_ceil(4) } else { random.lists };
            let must_be_wrong = self.fits == FitsDatagram::Never && rate == WriteRate::Full && self.is_disturbed;
            work.during(writers, rate, pass, &mut random.rng, || {
                (0..lists).for_each(|_| read(self.list, &checker, reader, &mut tally));
                while must_be_wrong && tally.fragmented_wrong == 0 && tally.fragmented < 500 {
                    read_once(self.list, &checker, reader, &mut tally);
                }
            });
            sum.add(&format!("{}, {rate}", self.name), &tally, &work);
            if self.fits == FitsDatagram::Always || rate == WRITE_RATES[0] {
                assert!(tally.accepted() >= random.lists / 2, "most can be relied on");
            }
            if must_be_wrong {
                assert!(tally.fragmented_wrong > 0, "what is wrong with lists that are not said to be right is seen");
            }
        }
    }
}

fn read_once(list: List, checker: &Checker<'_>, reader: &Reader, tally: &mut Tally) {
    let (rows, reading) = list.once(&reader.handle);
    tally.read(reading, &checker.check(&rows));
}

/// Reads a list once, and until it can be relied on.
fn read(list: List, checker: &Checker<'_>, reader: &Reader, tally: &mut Tally) {
    read_once(list, checker, reader, tally);
    let before = reader.requests();
    match list.stable(&reader.handle, ATTEMPTS) {
        Ok(rows) => tally.rely(reader.requests() - before, &checker.check(&rows)),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unstable, "{error}");
            tally.unstable += 1;
        }
    }
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_others_write() {
    let mut random = RandomPlan::new();
    let mut sum = Sum::default();
    let workloads = [
        Workload::of_services(60, 30, FitsDatagram::Always),
        Workload::of_services(80, 40, FitsDatagram::Sometimes),
        Workload::of_services(random.many, 200, FitsDatagram::Never),
        Workload::of_destinations(50, 30, FitsDatagram::Always),
        Workload::of_destinations(75, 40, FitsDatagram::Sometimes),
        Workload::of_destinations(random.many, 200, FitsDatagram::Never),
        Workload::of_everything(),
    ];
    for workload in workloads {
        alone(|| {
            let reader = Reader::open(1);
            workload.make(&reader.handle);
            workload.read_beside(&workload.writers(&Netns::current()), &reader, &mut random, &mut sum);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_another_namespace_changes() {
    let mut random = RandomPlan::new();
    let mut sum = Sum::default();
    for (count, fits) in [(60, FitsDatagram::Always), (random.many, FitsDatagram::Never)] {
        alone(|| {
            let reader = Reader::open(1);
            // Before Linux 7 one table holds the services of all namespaces.
            let is_disturbed = kernel::version() < (7, 0);
            let here = Workload { is_disturbed, ..Workload::of_services(count, 0, fits) };
            here.make(&reader.handle);
            let other = Namespace::new();
            other.run(spare_the_estimator);
            let netns = Netns::path(other.path());
            let there = Workload {
                steady: services(2000..2002),
                others: services(3000..3200),
                ..Workload::of_services(0, 0, fits)
            };
            there.make(&Handle::builder().netns(netns.clone()).open().unwrap());
            here.read_beside(&there.writers(&netns), &reader, &mut random, &mut sum);

            let checker = Checker::new(&here.steady, &[]);
            let (work, mut tally) = (Writers::default(), Tally::default());
            work.during_the_end_of_namespaces(&there.others, || {
                (0..random.lists).for_each(|_| read(here.list, &checker, &reader, &mut tally));
            });
            sum.add(&format!("{}, namespaces that come and go", here.name), &tally, &work);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn list_that_is_said_to_be_right_is_while_the_kernel_resizes_its_table() {
    let random = RandomPlan::new();
    let mut sum = Sum::default();
    for (few, many) in [(10, 80), (100, 1000), (300, random.many * 6)] {
        alone(|| {
            let reader = Reader::open(1);
            let (steady, others) = (services(0..few), services(few..many));
            make_all(&reader.handle, &steady);
            let all = [steady.as_slice(), others.as_slice()].concat();
            let (grown, shrunk) = (Checker::new(&all, &[]), Checker::new(&steady, &[]));
            let (work, mut tally) = (Writers::default(), Tally::default());
            // It does that in the background, for less than half a second, and there are no writers meanwhile.
            let mut read_for_a_while = |checker: &Checker<'_>| {
                let start = Instant::now();
                while start.elapsed() < Duration::from_millis(500) {
                    read(List::Services, checker, &reader, &mut tally);
                }
            };
            for _ in 0..random.lists.div_ceil(10) {
                make_all(&reader.handle, &others);
                read_for_a_while(&grown);
                remove_all(&reader.handle, &others);
                read_for_a_while(&shrunk);
            }
            sum.add(&format!("after {few} services became {many} and back"), &tally, &work);

            // Again and again, by another program.
            let checker = Checker::new(&steady, &others);
            let (work, mut tally) = (Writers::default(), Tally::default());
            work.during_changes_in_bulk(&others, || {
                (0..random.lists).for_each(|_| read(List::Services, &checker, &reader, &mut tally));
            });
            sum.add(&format!("while {few} services become {many} and back"), &tally, &work);
        });
    }
    sum.end();
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn table_that_is_said_to_be_right_is_with_several_readers_too() {
    let mut random = RandomPlan::new();
    let mut sum = Sum::default();
    alone(|| {
        let reader = Reader::open(2);
        let workload = Workload::of_everything();
        workload.make(&reader.handle);
        workload.read_beside(&workload.writers(&Netns::current()), &reader, &mut random, &mut sum);
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
                let check = Checker::new(&objects[..=count], &[]).check(&rows);
                let is_moved = kernel::version() >= (7, 0) && !reading.is_complete();
                assert!(check.is_right() || is_moved, "{list:?} of {}, {reading}: {check}", count + 1);
                readings.insert(reading.is_complete());
            }
            assert_eq!(readings, BTreeSet::from([false, true]), "shorter ones and longer ones");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn destination_that_is_there_is_never_called_missing_while_others_write() {
    let mut random = RandomPlan::new();
    let workload = Workload::of_destinations(random.many, 200, FitsDatagram::Never);
    let id = service(2).id;
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        workload.make(handle);
        let checker = Checker::new(&workload.steady, &workload.others);
        let mut there: HashMap<DestinationId, Destination> =
            (0..random.many).map(|number| destination(&id, number)).map(|server| (server.id, server)).collect();
        let mut answers = Answers::default();
        let (mut rng, mut left_out) = (random.rng.fork(), 0);
        let work = Writers::default();
        work.during(&workload.writers(&Netns::current()), WriteRate::Full, Duration::ZERO, &mut random.rng, || {
            for round in 0..random.lists * 3 {
                // One that a list has just left out is likely to be left out again.
                let missing = checker.check(&workload.list.once(handle).0).missing;
                left_out += u32::from(!missing.is_empty());
                let target = match rng.choice(missing) {
                    Some(Key::Destination(_, target)) => target,
                    _ => destination(&id, rng.u32(..random.many)).id,
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
        let (many, rounds) = (random.many, random.lists * 3);
        answers.end(&format!("one of {many} destinations ({left_out} lists of {rounds} left out some)"), &work);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn service_that_is_there_is_never_called_missing_while_others_write() {
    let mut random = RandomPlan::new();
    alone(|| {
        let reader = Reader::open(1);
        let handle = &reader.handle;
        make_all(handle, &services(0..100));
        let mut there: Vec<Service> = (0..100).map(service).collect();
        let mut answers = Answers::default();
        let work = Writers::default();
        work.during_changes_in_bulk(&services(100..2000), || {
            for _ in 0..random.lists * 20 {
                let service = &mut there[random.rng.usize(..100)];
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

/// The results of calls about objects that exist all the time.
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

    fn end(&self, what: &str, work: &Writers) {
        let Self { right, unstable, lies } = self;
        let (count, changes) = (lies.len(), work.changes());
        kernel::note(&format!("{what}: {right} right answers, {count} lies, {unstable} unstable; {changes} changes"));
        assert_eq!(*lies, [""; 0]);
        assert!(*right > *unstable, "most calls have an answer");
    }
}

/// How often each thing is tried, and what is left to chance.
struct RandomPlan {
    lists: u32,
    /// How many rows a list has that never fits a datagram.
    many: u32,
    rng: Rng,
}

impl RandomPlan {
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

/// The results of all cases together.
#[derive(Default)]
struct Sum(Tally);

impl Sum {
    fn add(&mut self, name: &str, tally: &Tally, work: &Writers) {
        kernel::note(&format!("{name}: {tally}; {} changes", work.changes()));
        tally.wrong.iter().take(3).for_each(|what| kernel::note(&format!("wrong: {what}")));
        self.0.add(tally);
    }

    fn end(self) {
        kernel::note(&format!("together: {}", self.0));
        assert_eq!(self.0.wrong, [""; 0]);
    }
}
