//! Others who change the table.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use ipvs_rs::Handle;

use super::object::{Object, make_all, remove_all};
use super::reader::spare_the_estimator;
use crate::namespaces::Namespace;

/// How often something is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteRate {
    /// So often while a list is read ten times, which takes more or less time on each machine.
    PerTenPasses(u32),
    Full,
}

impl fmt::Display for WriteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PerTenPasses(changes) => write!(f, "{changes} changes in 10 passes"),
            Self::Full => f.write_str("full speed"),
        }
    }
}

/// Others at work, until they are told to stop.
#[derive(Debug, Default)]
pub struct Writers {
    is_over: AtomicBool,
    changes: AtomicU64,
}

impl Writers {
    /// How many changes there were so far.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Does something while others write, each of them with a handle and a share of the objects of their own.
    ///
    /// Whatever they do must succeed, and nothing of theirs is left in the end.
    pub fn during<T>(
        &self,
        writers: &[(&[Object], Handle)],
        rate: WriteRate,
        pass: Duration,
        rng: &mut Rng,
        body: impl FnOnce() -> T,
    ) -> T {
        let pause = match rate {
            WriteRate::PerTenPasses(changes) => pass * 10 * u32::try_from(writers.len()).unwrap() / changes,
            WriteRate::Full => Duration::ZERO,
        };
        let write = |(objects, handle)| {
            let rng = rng.fork();
            move || self.write(handle, objects, pause, rng)
        };
        self.run_during(body, writers.iter().map(|(objects, handle)| (*objects, handle)).map(write))
    }

    /// The same while network namespaces with these objects come and go.
    pub fn during_the_end_of_namespaces<T>(&self, objects: &[Object], body: impl FnOnce() -> T) -> T {
        let make_and_drop = || {
            while !self.is_over.load(Ordering::Relaxed) {
                // The services of a namespace are deleted when the kernel gets round to it.
                Namespace::new().run(|| {
                    spare_the_estimator();
                    make_all(&Handle::new().unwrap(), objects);
                });
                self.changes.fetch_add(1, Ordering::Relaxed);
            }
        };
        self.run_during(body, [make_and_drop])
    }

    /// The same while these objects are made all at once, then removed all at once, again and again, in the namespace of
    /// the calling thread.
    pub fn during_changes_in_bulk<T>(&self, objects: &[Object], body: impl FnOnce() -> T) -> T {
        let handle = Handle::new().unwrap();
        let make_and_remove = || {
            while !self.is_over.load(Ordering::Relaxed) {
                for change in [make_all, remove_all] {
                    change(&handle, objects);
                    self.changes.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        self.run_during(body, [make_and_remove])
    }

    fn run_during<T>(&self, body: impl FnOnce() -> T, others: impl IntoIterator<Item = impl FnOnce() + Send>) -> T {
        /// Ends the work also when what runs beside it fails.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        self.is_over.store(false, Ordering::Relaxed);
        thread::scope(|scope| {
            let _end = End(&self.is_over);
            for other in others {
                scope.spawn(other);
            }
            body()
        })
    }

    /// Makes what is missing and removes what is there, at random.
    fn write(&self, handle: &Handle, objects: &[Object], pause: Duration, mut rng: Rng) {
        let mut is_there = vec![false; objects.len()];
        while !self.is_over.load(Ordering::Relaxed) {
            let place = rng.usize(..objects.len());
            let change = if is_there[place] { Object::remove } else { Object::make };
            change(&objects[place], handle).unwrap_or_else(|error| panic!("{error}"));
            is_there[place] = !is_there[place];
            self.changes.fetch_add(1, Ordering::Relaxed);
            // At any moment of a pass.
            thread::sleep(pause.mul_f64(rng.f64() * 2.0));
        }
        for (object, _) in objects.iter().zip(is_there).filter(|(_, is_there)| *is_there) {
            object.remove(handle).unwrap();
        }
    }
}
