//! `cargo xtask`: what the project does with itself.

mod api;
mod bench;
mod demo;
mod fuzz;
mod golden;
mod guest;
mod layers;
mod output;
mod progress;
mod test;
mod vm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    if let Some(ended) = api::rustdoc() {
        return ended;
    }
    match Xtask::parse().command {
        Task::Api(arguments) => api::main(&arguments),
        Task::Bench(arguments) => bench::main(&arguments),
        Task::Demo(arguments) => demo::main(&arguments),
        Task::Test(arguments) => test::main(&arguments),
        Task::Vm(arguments) => vm::main(arguments),
        Task::Fuzz(arguments) => fuzz::main(&arguments),
        Task::Golden(arguments) => golden::main(&arguments),
        Task::Layers => layers::main(),
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
    Api(api::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
    Test(test::Arguments),
    Vm(vm::Arguments),
    Fuzz(fuzz::Arguments),
    Golden(golden::Arguments),
    /// Check that the floors of the library use only those below, and that no folder of one imports in a circle
    Layers,
}
