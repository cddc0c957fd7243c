//! How do shells and `man` learn of the command? From its own definition.

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::{self, Cli};
use crate::exit::{Exit, Stop};
use crate::output::Output;

pub(crate) fn shell(args: &args::Completions, out: &mut Output) -> Result<Exit, Stop> {
    // Into memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wxtoken", &mut script);
    out.bytes(&script)?;
    Ok(Exit::Ok)
}

pub(crate) fn man(args: &args::Man, out: &mut Output) -> Result<Exit, Stop> {
    if let Some(dir) = &args.dir {
        clap_mangen::generate_to(Cli::command(), dir)
            .map_err(|error| Stop::With(Exit::Failed, format!("{} cannot be written to: {error}", dir.display())))?;
        return Ok(Exit::Ok);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    out.bytes(&page)?;
    Ok(Exit::Ok)
}
