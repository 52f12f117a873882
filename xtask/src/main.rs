//! `cargo xtask`: what the project does with itself.

mod guest;
mod progress;
mod vm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    match Xtask::parse().command {
        Task::Vm(arguments) => vm::main(arguments),
    }
}

/// Tasks of the project
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    Vm(vm::Arguments),
}
