//! `wxtoken platform`: what would WeChat answer? A stand-in on loopback, until somebody stops it.

use wxtoken_platform::{Account, Platform, Running};

use crate::args;
use crate::exit::{Exit, Stop};
use crate::output::Output;

pub(crate) mod spec;

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
    // Programs that start this one read the first line, and stop at the port.
    out.line(format_args!("listening on {}", platform.http_url()))?;
    if let Some(url) = platform.https_url() {
        out.line(format_args!("listening on {url}"))?;
    }
    out.line(format_args!("control on {}", platform.control_url()))?;
    if args.account.is_empty() {
        for (kind, id, secret) in DEFAULTS {
            out.line(format_args!("account {kind} {id} with the secret {secret}"))?;
        }
    }
    for account in &args.account {
        out.line(format_args!("account {}", account.name()))?;
    }
    // Until the control port or a signal ends it.
    platform.wait();
    Ok(Exit::Ok)
}

fn start(args: &args::Platform) -> Result<Running, Stop> {
    let mut builder = Platform::builder()
        .ip(args.listen.ip())
        .ports(args.listen.port(), 0, args.control_port)
        .tls(args.tls)
        .speed(args.speed)
        .seed(args.seed);
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
