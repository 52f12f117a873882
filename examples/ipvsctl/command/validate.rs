//! `validate`: whether files can be applied.

use ipvs_rs::desired::{Diagnostic, Diagnostics, Severity, Stage};
use serde::Serialize;

use crate::args::ValidateFormat;
use crate::command::get;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::source::{Input, Problem};

#[derive(Serialize)]
struct Document {
    valid: bool,
    diagnostics: Vec<Record>,
}

#[derive(Serialize)]
struct Record {
    severity: String,
    stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    path: String,
    message: String,
}

/// Checks files, and says what it found.
pub fn validate(console: &mut Console, input: Input<'_>, output: ValidateFormat) -> Result<(), Failure> {
    match output {
        ValidateFormat::Text => {
            input.load(console)?;
            console.done("Configuration valid.");
            Ok(())
        }
        ValidateFormat::Json => {
            let found = match input.read() {
                Ok(loaded) => loaded.warnings,
                Err(Problem::Found(found)) => found,
                Err(Problem::Failure(failure)) => return Err(failure),
            };
            let valid = !found.has_errors() && (found.is_empty() || !input.global.strict);
            let diagnostics = found.iter().map(record).collect();
            console.print(&get::as_json(&Document { valid, diagnostics })?);
            if valid { Ok(()) } else { Err(Failure::silent(exit(&input, &found))) }
        }
    }
}

fn exit(input: &Input<'_>, found: &Diagnostics) -> Exit {
    if found.has_errors() { input.explain(found).exit } else { Exit::Invalid }
}

fn record(diagnostic: &Diagnostic) -> Record {
    let place = &diagnostic.place;
    Record {
        severity: match diagnostic.severity {
            Severity::Warning => "warning".to_owned(),
            other => other.to_string(),
        },
        stage: match diagnostic.stage {
            Stage::Reading => "reading",
            Stage::Parameters => "parameters",
            _ => "validation",
        },
        file: place.file.as_deref().map(str::to_owned),
        line: place.line,
        column: place.column,
        path: place.path.clone(),
        message: diagnostic.message.clone(),
    }
}
