//! What can the runner be told?

use std::path::PathBuf;

use clap::Parser;

/// Boots firmware images in an emulator, against a stand-in for the platform, and holds what they do against a table of
/// cases.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    /// An image and what it is: http, tls, async or async-tls; repeatable
    #[arg(long, value_name = "NAME=PATH", required = true, value_parser = image)]
    pub(crate) image: Vec<(String, PathBuf)>,
    /// How many cases run at a time; most of them wait most of the time
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) jobs: usize,
    /// Print what the images say, also where all is well
    #[arg(long)]
    pub(crate) decoded: bool,
    /// Only cases whose name contains one of these
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

impl Args {
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }
}

fn image(text: &str) -> Result<(String, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write it as NAME=PATH")?;
    Ok((name.to_owned(), path.into()))
}
