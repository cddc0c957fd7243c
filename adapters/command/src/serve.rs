//! `wxtoken serve`: who keeps the tokens of many programs? One server, until somebody stops it.

use std::io::Write as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use wxtoken_server::config::{Config, template};
use wxtoken_server::{CannotStart, Clock as _, Server, SystemClock};

use crate::args::Serve;
use crate::exit::{Exit, Stop};
use crate::output::Output;

pub(crate) fn run(args: &Serve, out: &mut Output) -> Result<Exit, Stop> {
    if args.init {
        return init(&args.config, out);
    }
    if args.check {
        return check(&args.config, out);
    }
    serve(&args.config, out)
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Written aside and put in its place whole; never in the place of another.
fn init(path: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let failed = |error: std::io::Error| {
        let remedy = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "it exists, and is not touched; name another with --config",
            _ => "is its folder there, and writable?",
        };
        Stop::With(Exit::Failed, format!("{} cannot be written: {error}; {remedy}", path.display()))
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(template().as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    file.persist_noclobber(path).map_err(|error| failed(error.error))?;
    let next = format!("wrote {}; edit it, then: wxtoken serve --config {0} --check\n", path.display());
    out.bytes(next.as_bytes())?;
    Ok(Exit::Ok)
}

fn check(path: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let config = Config::load(path, &environment).map_err(|bad| Stop::With(Exit::Configuration, bad.to_string()))?;
    let mut scheme = "http";
    if let Some(tls) = &config.tls {
        scheme = "https";
        let until = tls.valid_until().map_err(|why| Stop::With(Exit::Configuration, format!("tls: {why}")))?;
        // No reason for a server not to start: its clock may be what is wrong.
        let now = SystemClock::new().unix_time().unwrap_or_default();
        if until.duration_since(UNIX_EPOCH).unwrap_or_default() <= now {
            let (cert, until) = (tls.cert.display(), humantime::format_rfc3339_seconds(until));
            let why = format!("tls: cert {cert}: it was valid until {until}; have it renewed");
            return Err(Stop::With(Exit::Configuration, why));
        }
    }
    let sound = format!(
        "{} is sound: {} accounts, {} clients, listening on {scheme}://{}, store {}\n",
        path.display(),
        config.accounts.len(),
        config.clients.len(),
        config.listen,
        config.store.display()
    );
    out.bytes(sound.as_bytes())?;
    Ok(Exit::Ok)
}

fn serve(path: &Path, out: &mut Output) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("wxtoken-serve")
        .enable_all()
        .build()
        .map_err(|error| Stop::With(Exit::Failed, format!("no threads can be started: {error}")))?;
    runtime.block_on(async {
        let server = Server::start(path, &environment).await.map_err(not_started)?;
        let address = server.address().map_err(|error| Stop::With(Exit::Failed, error.to_string()))?;
        let scheme = if server.is_https() { "https" } else { "http" };
        // Programs that start this one read this line, and stop at the port. That nobody reads it is no reason to end.
        match out.bytes(format!("listening on {scheme}://{address}\n").as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
        server.run(&environment).await.map_err(|stopped| Stop::With(Exit::Failed, stopped.to_string()))?;
        Ok(Exit::Ok)
    })
}

fn not_started(why: CannotStart) -> Stop {
    let exit = match why {
        CannotStart::Config(_) | CannotStart::Accounts(_) | CannotStart::Tls(_) | CannotStart::Roots => {
            Exit::Configuration
        }
        _ => Exit::Failed,
    };
    Stop::With(exit, why.to_string())
}
