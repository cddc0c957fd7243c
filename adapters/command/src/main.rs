//! What does the command `wxtoken` do? It reads its arguments, runs one subcommand, and ends with a code that says who
//! must act.

mod args;
mod call;
mod calling;
mod completions;
mod demo;
mod doctor;
mod download;
mod exit;
mod get;
mod interrupt;
mod key;
mod lang;
mod logging;
mod output;
mod platform;
mod secret;
mod send;
mod serve;
mod sign;
mod source;
mod status;
mod upload;
mod words;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version come this way too. A closed stdout or stderr is no reason to complain.
            let _ = told.print();
            return if told.use_stderr() { Exit::Usage } else { Exit::Ok }.into();
        }
    };
    // A server's log is what its operator has of it: what it tells the first time others are asked.
    let is_server = matches!(&cli.command, Command::Serve(serve) if !serve.init && !serve.check);
    logging::start(cli.verbose.saturating_add(u8::from(is_server)));
    let lang = lang::of(cli.lang);
    let mut out = Output::new();
    let result = match cli.command {
        Command::Get(args) => interrupt::install(Exit::Interrupted).and_then(|()| get::run(&args, lang, &mut out)),
        Command::Call(args) => interrupt::install(Exit::Interrupted).and_then(|()| call::run(&args, lang, &mut out)),
        Command::Send(mut args) => {
            interrupt::install(Exit::Interrupted).and_then(|()| send::run(&mut args, lang, &mut out))
        }
        Command::Upload(args) => {
            interrupt::install(Exit::Interrupted).and_then(|()| upload::run(&args, lang, &mut out))
        }
        Command::Download(args) => interrupt::install(Exit::Interrupted).and_then(|()| download::run(&args, lang)),
        Command::Doctor(args) => {
            interrupt::install(Exit::Interrupted).and_then(|()| doctor::run(&args, lang, &mut out))
        }
        Command::Sign(args) => interrupt::install(Exit::Interrupted).and_then(|()| sign::run(&args, lang, &mut out)),
        // Being told to stop is how a server ends.
        Command::Platform(args) => interrupt::install(Exit::Ok).and_then(|()| platform::run(&args, &mut out)),
        Command::Demo(args) => interrupt::install(Exit::Interrupted).and_then(|()| demo::run(&args, &mut out)),
        // Signals are orders to it, and handled by itself.
        Command::Serve(args) => serve::run(&args, &mut out),
        Command::Status(args) => {
            interrupt::install(Exit::Interrupted).and_then(|()| status::run(&args, lang, &mut out))
        }
        Command::Key(args) => key::run(&args, &mut out),
        Command::Completions(args) => completions::shell(&args, &mut out),
        Command::Man(args) => completions::man(&args, &mut out),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(stop) => stop.tell(lang),
    }
}
