//! How errors of a desired state print.

use std::collections::BTreeMap;
use std::error::Error;

use ipvs_rs::desired::apply::ApplyOptions;
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::yaml;

use super::given::{desired, live};
use super::world::World;

/// The errors that have a source: an operation that the kernel refuses, one that is refused beforehand, a value without
/// a form in YAML, and a folder that cannot have a lock.
#[test]
fn line_has_the_message_of_the_source() {
    let applied = |rules: &[&str]| {
        let plan = plan(&live(&[]), &desired(rules), &PlanOptions::new());
        World::new().apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err()
    };
    let refused = applied(&["-A -t 192.0.2.80:80 -s no-such"]);
    assert_eq!(refused.to_string(), format!("{}: {}", refused.summary(), refused.kernel_error().unwrap()));
    assert_eq!(format!("{refused:?}"), refused.to_string());
    let impossible = yaml::to_string(&BTreeMap::from([((1, 2), 3)])).unwrap_err();
    let mut errors: Vec<Box<dyn Error>> = vec![Box::new(refused), Box::new(impossible)];
    #[cfg(target_os = "linux")]
    {
        use ipvs_rs::desired::Lock;
        use std::path::Path;
        use std::time::Duration;
        errors.push(Box::new(Lock::acquire(Path::new("/proc/version"), Duration::ZERO).unwrap_err()));
    }
    for error in errors {
        let source = error.source().unwrap().to_string();
        assert!(error.to_string().contains(&source), "{error} lacks {source}");
    }
}
