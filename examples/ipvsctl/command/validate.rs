//! `validate`: checks whether files can be applied.

use ipvs_rs::desired::{Diagnostic, Stage};
use serde_json::{Value, json};

use crate::args::Format;
use crate::console::Console;
use crate::document;
use crate::failure::{Exit, Failure};
use crate::source::{Input, ReadError};

/// Checks files, and reports the result.
pub fn validate(console: &mut Console, input: Input<'_>, format: Format) -> Result<(), Failure> {
    if format == Format::Text {
        input.load(console)?;
        console.done("Configuration valid.");
        return Ok(());
    }
    let (found, exit) = match input.read() {
        Ok(loaded) => (loaded.warnings, Exit::Invalid),
        Err(ReadError { failure, found }) if found.is_empty() => return Err(failure),
        Err(ReadError { failure, found }) => (found, failure.exit),
    };
    let is_valid = !found.has_errors() && (found.is_empty() || !input.global.strict);
    let diagnostics: Vec<_> = found.iter().map(record).collect();
    console.print(&document::text(format, &json!({"valid": is_valid, "diagnostics": diagnostics}))?);
    if is_valid { Ok(()) } else { Err(Failure::silent(exit)) }
}

fn record(diagnostic: &Diagnostic) -> Value {
    let place = &diagnostic.place;
    document::without_nulls(json!({
        "severity": diagnostic.severity.to_string(),
        "stage": match diagnostic.stage {
            Stage::Reading => "reading",
            Stage::Parameters => "parameters",
            _ => "validation",
        },
        "file": place.file.as_deref(),
        "line": place.line,
        "column": place.column,
        "path": place.path,
        "message": diagnostic.message,
    }))
}
