//! Files that describe a table, and the parameters in them.

use crate::desired::files::{Loaded, Reader, Source};
use crate::desired::params::{MapResolver, ParamsError, Resolver, Syntax, substitute};
use crate::desired::plan::{Plan, PlanOptions, plan};
use crate::desired::spec::FileSpec;
use crate::desired::{Diagnostics, Observed, PrintOptions, yaml};
use crate::model::{DestinationEntry, ServiceEntry, Table, TableService};

/// Reads text as files. What can be read is printed and read again, and is the same; what cannot is told with its place.
pub fn spec_files(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let values =
        MapResolver::new("values", [("a", "192.0.2.1"), ("b", "80"), ("a.b", "${a}"), ("host.lo", "127.0.0.1")]);
    for merge in [false, true] {
        let reader = Reader::new().resolver(&values).merge(merge);
        match reader.read(&[Source::new("file", text)]) {
            Err(found) => {
                assert!(found.has_errors() && found.failed_stage().is_some());
                placed(&found, text);
            }
            Ok(loaded) => {
                assert!(!loaded.warnings.has_errors());
                placed(&loaded.warnings, text);
                printed_alike(&reader, &loaded);
                table_alike(&loaded);
            }
        }
    }
}

fn placed(found: &Diagnostics, text: &str) {
    // A file that does not end with the end of a line has one more than ends.
    let lines = text.split(['\n', '\r']).count() + 1;
    assert!(found.len() <= 1001, "{} findings", found.len());
    for one in found {
        assert!(!one.message.is_empty());
        let line = one.place.line.and_then(|line| usize::try_from(line).ok());
        assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{one} in {lines} lines");
        assert!(one.place.column.is_some_and(|column| column > 0), "{one}");
    }
}

fn printed_alike(reader: &Reader<'_>, loaded: &Loaded) {
    let printed = loaded.files.iter().map(|file| yaml::to_string(file).map(|text| Source::new("printed", text)));
    let sources: Result<Vec<_>, _> = printed.collect();
    assert!(sources.is_ok(), "{:?} is not printed", loaded.files);
    let sources = sources.unwrap_or_default();
    // Text that looks like a parameter now was a value, or was escaped.
    if sources.iter().any(|source| source.text.contains("${")) {
        return;
    }
    let again = reader.read(&sources);
    assert_eq!(again.as_ref().map(|again| (&again.files, &again.state)), Ok((&loaded.files, &loaded.state)));
}

/// A table that is as it should be is printed, and what is read of that changes nothing.
fn table_alike(loaded: &Loaded) {
    let rows = loaded.state.services.iter().map(|service| {
        let entries = service.destinations.iter().map(|wanted| DestinationEntry::new(wanted.created())).collect();
        TableService::new(ServiceEntry::new(service.service.clone()), entries)
    });
    let mut live = Observed::new(Table::new(rows.collect()));
    live.timeouts = Some(loaded.state.timeouts);
    live.sync = Some(loaded.state.sync.clone().unwrap_or_default());
    let file = FileSpec::from_observed(&live, &PrintOptions::new().all(true));
    let printed = yaml::to_string(&file).map(|text| Reader::new().read(&[Source::new("table", text)]));
    let again =
        printed.ok().and_then(Result::ok).map(|again| plan(&live, &again.state, &PlanOptions::new().prune(true)));
    assert!(again.as_ref().is_some_and(Plan::is_empty), "{again:?} of {file:?}");
}

/// Replaces the parameters of text, whose values stand in a document after the first line.
pub fn parameters(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (template, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let values = MapResolver::from_document("document", document);
    let values = values.unwrap_or_else(|error| {
        assert!(matches!(error, ParamsError::NoDocument { .. } | ParamsError::KeyIsNoText { .. }), "{error}");
        MapResolver::new("values", [("a", "1"), ("a.b", "${a}")])
    });
    for key in values.keys().iter().take(100) {
        assert!(values.resolve(key).is_some(), "{key} has no value");
    }
    for syntax in [Syntax::Version1, Syntax::Version2] {
        match substitute(template, &values, syntax) {
            Ok(text) => assert!(template.contains("${") || text == template),
            Err(error) => {
                assert!(error.is_unresolved() && template.contains("${"), "{error}");
                if let ParamsError::Unknown { key, .. } = &error {
                    assert!(values.resolve(key).is_none());
                }
            }
        }
    }
}
