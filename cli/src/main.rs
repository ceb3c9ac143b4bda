//! `warpweft`: runs, explains and compares WGSL kernels from the command line.
//!
//! This file knows which command does what, and how everything ends: exit code 0, or one paragraph on stderr.

mod args;
mod array;
mod bench;
mod bindings;
mod calibrate;
mod devices;
mod difference;
mod explain;
mod failure;
mod interrupt;
mod ir;
mod job;
mod layout;
mod npy;
mod numbers;
mod outputs;
mod progress;
mod random;
mod record;
mod repeat;
mod run;
mod say;
mod steps;
mod values;
mod verify;

use std::panic;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Command, paragraph};
use crate::failure::{Failure, Outcome};

fn main() -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(|s| &**s));
        let what = text.unwrap_or("an unknown reason");
        let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        say::error(&format!(
            "error: a bug of warpweft stopped it{place}: {what}. Please report it with the command line and, if you may, \
             the inputs."
        ));
    }));
    let code = match panic::catch_unwind(command) {
        Ok(Ok(())) => 0,
        Ok(Err(failure)) => {
            say::error(&failure.to_string());
            failure.code()
        }
        // The hook has told it.
        Err(_) => 1,
    };
    ExitCode::from(code)
}

/// Does what the command line asks for.
fn command() -> Outcome {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are answers, not mistakes.
        Err(answer) if !answer.use_stderr() => return say::out(&answer.render().to_string()),
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let commands = "devices, calibrate, run, explain, ir, verify or bench";
            return Err(Failure::usage(format!(
                "a command is missing: {commands} (`warpweft --help` tells more)"
            )));
        }
        Err(error) => return Err(Failure::usage(paragraph(&error))),
    };
    log();
    match cli.command {
        Command::Devices(args) => devices::devices(&args),
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Run(args) => run::run(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Ir(args) => ir::ir(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Bench(args) => bench::bench(&args),
    }
}

/// Sends what the libraries have to tell to stderr, as `WARPWEFT_LOG` filters it.
fn log() {
    let filter = std::env::var("WARPWEFT_LOG").unwrap_or_else(|_| "warn".into());
    // A filter that cannot be read is no reason not to work.
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Without colour codes in pipes.
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = subscriber.with_ansi(ansi).without_time().try_init();
}
