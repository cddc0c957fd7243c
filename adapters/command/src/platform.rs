//! `wxtoken platform`: what would WeChat answer? A stand-in on loopback, until somebody stops it.

use std::io;

use wxtoken_platform::{Account, Platform, Running};

use crate::args;
use crate::exit::{Exit, Stop};
use crate::output::Output;

pub(crate) mod spec;
pub(crate) mod tls;

/// The accounts that exist when none was named: kind, id, secret. Made up, and printed.
const DEFAULTS: [(&str, &str, &str); 3] = [
    ("official", "wx00000000000demo1", "made-up-secret-of-an-official-account"),
    ("mini-program", "wx00000000000demo2", "made-up-secret-of-a-mini-program"),
    ("work", "ww00000000000demo3", "made-up-secret-of-a-wecom-app"),
];

pub(crate) fn run(args: &args::Platform, out: &mut Output) -> Result<Exit, Stop> {
    let platform = start(args)?;
    if let (Some(path), Some(pem)) = (&args.ca_out, platform.ca_pem()) {
        std::fs::write(path, pem)
            .map_err(|error| Stop::With(Exit::Failed, format!("{} cannot be written: {error}", path.display())))?;
    }
    announce(&greeting(args, &platform), out)?;
    // Until the control port or a signal ends it.
    platform.wait();
    Ok(Exit::Ok)
}

/// Where it listens, then whom it knows. Programs that start this one read the first line, and stop at the port.
fn greeting(args: &args::Platform, platform: &Running) -> String {
    let mut lines = vec![format!("listening on {}", platform.http_url())];
    lines.extend(platform.https_url().map(|url| format!("listening on {url}")));
    lines.push(format!("control on {}", platform.control_url()));
    if args.account.is_empty() {
        lines.extend(DEFAULTS.map(|(kind, id, secret)| format!("account {kind} {id} with the secret {secret}")));
    }
    lines.extend(args.account.iter().map(|account| format!("account {}", account.name())));
    lines.join("\n") + "\n"
}

/// In one write, so that whoever has read one line can have read all. A reader that left (`wxtoken platform | head -1`)
/// knows what it wanted to know, and others use the server: it goes on, as servers do. What cannot be written for
/// another reason, to a full disk say, is an error: somebody is going to look for the port there.
fn announce(greeting: &str, out: &mut Output) -> io::Result<()> {
    match out.bytes(greeting.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn start(args: &args::Platform) -> Result<Running, Stop> {
    let mut builder = Platform::builder()
        .ip(args.listen.ip())
        .ports(args.listen.port(), 0, args.control_port)
        .tls(args.tls)
        .tls_versions(args.tls_versions)
        .tls_key(args.tls_key)
        .leaf(args.tls_leaf)
        .speed(args.speed)
        .seed(args.seed);
    for name in &args.tls_name {
        builder = builder.tls_name(name);
    }
    let defaults = || DEFAULTS.into_iter().filter_map(|(kind, id, secret)| spec::of_kind(kind, id, secret));
    let accounts: Vec<Account> = if args.account.is_empty() { defaults().collect() } else { args.account.clone() };
    for account in accounts {
        builder = builder.account(account);
    }
    let platform = builder
        .start()
        .map_err(|error| Stop::With(Exit::Failed, format!("the platform cannot start on {}: {error}", args.listen)))?;
    for order in &args.fault {
        platform.fault(order.fault.clone(), order.scope.clone());
    }
    Ok(platform)
}
