//! How is the file read? Into tables of plain values first, unknown keys set apart, then each value is checked.

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use ipnet::IpNet;
use serde::Deserialize;

use super::{
    CallPath, ClientSpec, Config, Permission, RateSpec, Upstream,
    keys::{nearest, of},
    pieces::pieces,
    secret::{Environment, Source, Table as SecretTable},
    tls::Table as TlsTable,
    unix::Table as UnixTable,
};
use crate::{
    access::ALL_ACCOUNTS,
    account::{AccountKind, AccountSpec},
    engine::check_accounts,
    kind::{EndpointChoice, Kind},
    upstream::{Https, Roots},
};

/// A commented configuration to start from.
#[must_use]
pub const fn template() -> &'static str {
    include_str!("template.toml")
}

#[derive(Debug, Deserialize)]
pub(super) struct File {
    listen: Option<String>,
    #[serde(default)]
    allow_plain_http: bool,
    tls: Option<TlsTable>,
    unix: Option<UnixTable>,
    store: Option<PathBuf>,
    audit: Option<PathBuf>,
    upstream: Option<UpstreamTable>,
    #[serde(default)]
    account: Vec<AccountTable>,
    #[serde(default)]
    client: Vec<ClientTable>,
}

#[derive(Debug, Deserialize)]
struct UpstreamTable {
    ca: Option<PathBuf>,
    concurrency: Option<NonZeroUsize>,
}

#[derive(Debug, Deserialize)]
struct AccountTable {
    name: Option<String>,
    kind: Option<String>,
    endpoint: Option<String>,
    id: Option<String>,
    secret: Option<Source>,
    base: Option<String>,
    #[serde(default)]
    tickets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ClientTable {
    name: Option<String>,
    key_sha256: Option<Keys>,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    may: Vec<String>,
    #[serde(default)]
    call: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
    rate: Option<u32>,
    burst: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text, or a list of two while keys are being exchanged")]
enum Keys {
    One(String),
    Some(Vec<String>),
}

const LISTEN: &str = "127.0.0.1:8440";
const STORE: &str = "wxtoken.redb";
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

pub(super) fn read(text: &str, folder: &Path, environment: &Environment<'_>) -> Result<Config, Vec<String>> {
    let mut problems = Vec::new();
    let file = match in_pieces(text) {
        Some(file) => file,
        // What is wrong with it is told of the whole.
        None => {
            let (file, unknown) = parse(text).map_err(|error| vec![syntax(text, &error)])?;
            problems.extend(unknown.iter().map(|path| unknown_key(path, &file)));
            file
        }
    };
    let config = checked(file, folder, environment, &mut problems);
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

/// The tables, and the paths of the keys that are not known.
fn parse(text: &str) -> Result<(File, Vec<String>), toml::de::Error> {
    let mut unknown = Vec::new();
    let toml = toml::Deserializer::parse(text)?;
    let file = serde_ignored::deserialize(toml, |path| unknown.push(path.to_string()))?;
    Ok((file, unknown))
}

/// The same of a long text, piece by piece. `None`: there is something wrong with it, or only the whole makes sense.
pub(super) fn in_pieces(text: &str) -> Option<File> {
    let mut pieces = pieces(text);
    let mut file = known(pieces.next()?)?;
    for piece in pieces {
        let File { listen, allow_plain_http, tls, unix, store, audit, upstream, account, client } = known(piece)?;
        // These lie below a table's header, so they can only be that table's.
        debug_assert!(listen.is_none() && !allow_plain_http && store.is_none() && audit.is_none());
        once(&mut file.tls, tls)?;
        once(&mut file.unix, unix)?;
        once(&mut file.upstream, upstream)?;
        file.account.extend(account);
        file.client.extend(client);
    }
    Some(file)
}

fn known(piece: &str) -> Option<File> {
    parse(piece).ok().filter(|(_, unknown)| unknown.is_empty()).map(|(file, _)| file)
}

/// `None`: it is there twice.
fn once<T>(place: &mut Option<T>, found: Option<T>) -> Option<()> {
    if place.is_some() && found.is_some() {
        return None;
    }
    *place = place.take().or(found);
    Some(())
}

/// The place and the message. Never the line itself, as the error's own text has it: a secret may stand there.
fn syntax(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {}", error.message().replace('\n', "; "))
}

/// `path` is dotted, with numbers for the places in a list.
fn unknown_key(path: &str, file: &File) -> String {
    // A question mark stands for "if it is there".
    let path = path.replace(".?", "");
    let (table, key) = path.rsplit_once('.').unwrap_or(("", &path));
    let parts: Vec<&str> = table.split('.').collect();
    let nth = |part: &&str| part.parse::<usize>().ok();
    let (place, known) = match parts.as_slice() {
        [""] => (String::new(), of::<File>()),
        ["unix"] => ("unix: ".to_owned(), of::<UnixTable>()),
        ["tls"] => ("tls: ".to_owned(), of::<TlsTable>()),
        ["upstream"] => ("upstream: ".to_owned(), of::<UpstreamTable>()),
        ["account", n, rest @ ..] => {
            let account = nth(n).and_then(|n| file.account.get(n));
            let place = format!("account {}: ", called(account.and_then(|a| a.name.as_deref()), nth(n)));
            match rest {
                [] => (place, of::<AccountTable>()),
                _ => (format!("{place}secret: "), of::<SecretTable>()),
            }
        }
        ["client", n] => {
            let client = nth(n).and_then(|n| file.client.get(n));
            (format!("client {}: ", called(client.and_then(|c| c.name.as_deref()), nth(n))), of::<ClientTable>())
        }
        _ => (String::new(), &[][..]),
    };
    match nearest(key, known) {
        Some(near) => format!("{place}the key {key:?} is not known; did you mean {near:?}?"),
        None => format!("{place}the key {key:?} is not known; known are {}", known.join(", ")),
    }
}

/// An account or client by its name, or its number in the file.
fn called(name: Option<&str>, index: Option<usize>) -> String {
    name.map_or_else(|| format!("number {}", index.map_or(0, |index| index + 1)), str::to_owned)
}

fn checked(file: File, folder: &Path, environment: &Environment<'_>, problems: &mut Vec<String>) -> Option<Config> {
    let listen =
        listen(file.listen.as_deref().unwrap_or(LISTEN), file.allow_plain_http || file.tls.is_some(), problems);
    let unix = file.unix.and_then(|table| table.read(folder).map_err(|why| problems.push(format!("unix: {why}"))).ok());
    let tls = file.tls.and_then(|table| table.read(folder).map_err(|why| problems.push(format!("tls: {why}"))).ok());
    let upstream = upstream(file.upstream, folder, problems);
    let mut accounts = Vec::with_capacity(file.account.len());
    for (index, table) in file.account.into_iter().enumerate() {
        let place = called(table.name.as_deref(), Some(index));
        accounts.extend(
            account(table, folder, environment).map_err(|why| problems.push(format!("account {place}: {why}"))),
        );
    }
    let names: HashSet<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    // Each account by itself first, so that every one that is wrong is told; then all together.
    let mut bad = accounts.iter().filter_map(|account| check_accounts(std::slice::from_ref(account)).err()).peekable();
    if bad.peek().is_some() {
        problems.extend(bad.map(|bad| bad.to_string()));
    } else if let Err(bad) = check_accounts(&accounts) {
        problems.push(bad.to_string());
    }
    let all_accounts_read = problems.is_empty();
    let mut clients: Vec<ClientSpec> = Vec::with_capacity(file.client.len());
    let mut keys: HashMap<[u8; 32], String> = HashMap::new();
    for (index, table) in file.client.into_iter().enumerate() {
        let place = called(table.name.as_deref(), Some(index));
        match client(table) {
            Err(why) => problems.push(format!("client {place}: {why}")),
            Ok(client) => {
                // An account that could not be read is a problem already, and not one of this client.
                let known = |name: &String| name == ALL_ACCOUNTS || names.contains(name.as_str());
                for account in client.accounts.iter().filter(|name| all_accounts_read && !known(name)) {
                    problems.push(no_account(&place, account, &names));
                }
                for key in &client.keys {
                    if let Some(other) = keys.insert(*key, place.clone()) {
                        problems.push(format!(
                            "clients {other} and {place} have the same key; make one with `wxtoken key new`"
                        ));
                    }
                }
                if clients.iter().any(|other| other.name == client.name) {
                    problems.push(format!("two clients are named {place}; rename one"));
                }
                clients.push(client);
            }
        }
    }
    Some(Config {
        listen: listen?,
        tls,
        unix,
        store: folder.join(file.store.unwrap_or_else(|| STORE.into())),
        audit: file.audit.map(|path| folder.join(path)),
        upstream: upstream?,
        accounts,
        clients,
    })
}

fn no_account(client: &str, account: &str, names: &HashSet<&str>) -> String {
    let near = names.iter().map(|name| (strsim::damerau_levenshtein(account, name), name)).min();
    match near.filter(|(distance, _)| *distance <= account.len() / 2) {
        Some((_, near)) => format!("client {client}: there is no account {account:?}; did you mean {near:?}?"),
        None => format!("client {client}: there is no account {account:?}; add it, or take it out of `accounts`"),
    }
}

fn listen(text: &str, anywhere: bool, problems: &mut Vec<String>) -> Option<SocketAddr> {
    let address: SocketAddr = match text.parse() {
        Ok(address) => address,
        Err(_) => {
            problems.push(format!("listen: {text:?} is not ADDRESS:PORT; write for instance {LISTEN:?}"));
            return None;
        }
    };
    if !address.ip().is_loopback() && !anywhere {
        problems.push(format!(
            "listen: {address} is reached from other machines, who would send keys and get tokens in the clear; add [tls], listen on loopback behind a proxy that does TLS, or set allow_plain_http = true for a network you vouch for"
        ));
    }
    Some(address)
}

fn upstream(table: Option<UpstreamTable>, folder: &Path, problems: &mut Vec<String>) -> Option<Upstream> {
    let table = table.unwrap_or(UpstreamTable { ca: None, concurrency: None });
    let roots = match table.ca.map(|path| folder.join(path)) {
        None => Roots::Mozilla,
        Some(path) => {
            let roots = Roots::from_file(&path).map_err(|error| error.to_string());
            match roots.and_then(|roots| Https::new(&roots).map(|_| roots).map_err(|bad| bad.to_string())) {
                Ok(roots) => roots,
                Err(why) => {
                    problems.push(format!("upstream: ca: {}: {why}", path.display()));
                    return None;
                }
            }
        }
    };
    Some(Upstream { roots, concurrency: table.concurrency.unwrap_or(CONCURRENCY) })
}

fn account(table: AccountTable, folder: &Path, environment: &Environment<'_>) -> Result<AccountSpec, String> {
    let kinds = [AccountKind::Official, AccountKind::MiniProgram, AccountKind::Work];
    let kind = one_of("kind", table.kind.as_deref(), &kinds, AccountKind::name)?;
    let endpoint = match table.endpoint.as_deref() {
        None => EndpointChoice::Stable,
        Some(_) if kind == AccountKind::Work => {
            return Err("endpoint: WeCom has one endpoint only; take the key out".to_owned());
        }
        some => one_of("endpoint", some, &[EndpointChoice::Stable, EndpointChoice::Token], EndpointChoice::name)?,
    };
    let mut tickets = Vec::with_capacity(table.tickets.len());
    for name in &table.tickets {
        tickets.push(one_of("tickets", Some(name), &[Kind::Jsapi, Kind::WxCard, Kind::AgentConfig], Kind::name)?);
    }
    let secret = table.secret.ok_or("`secret` is missing; write for instance secret = { env = \"SHOP_SECRET\" }")?;
    Ok(AccountSpec {
        name: table.name.ok_or("`name` is missing; give it one, clients ask by it")?,
        kind,
        endpoint,
        id: table.id.ok_or("`id` is missing; write the appid or corpid")?,
        secret: secret.read(folder, environment)?,
        base: table.base,
        tickets,
    })
}

fn client(table: ClientTable) -> Result<ClientSpec, String> {
    let hashes = match table.key_sha256 {
        None => return Err("`key_sha256` is missing; `wxtoken key new` makes a key and its hash".to_owned()),
        Some(Keys::One(hash)) => vec![hash],
        Some(Keys::Some(hashes)) => hashes,
    };
    if !(1..=2).contains(&hashes.len()) {
        return Err("`key_sha256` holds one hash, or two while keys are being exchanged".to_owned());
    }
    // Not repeated: whoever mistook the two put the key itself there.
    let keys = hashes.iter().map(|hash| {
        hex(hash).ok_or("`key_sha256` is not 64 hex digits; `wxtoken key new` prints the hash beside the key")
    });
    let may = table.may.iter().map(|name| one_of("may", Some(name), &Permission::ALL, Permission::name));
    Ok(ClientSpec {
        name: table
            .name
            .filter(|name| !name.is_empty())
            .ok_or("`name` is missing; give it one, logs call it by that")?,
        keys: keys.collect::<Result<_, _>>()?,
        accounts: table.accounts,
        may: may.collect::<Result<_, _>>()?,
        call: table.call.iter().map(|path| CallPath::parse(path)).collect::<Result<_, _>>()?,
        networks: table.networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?,
        rate: rate(table.rate, table.burst)?,
    })
}

/// `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(one).ok_or_else(|| {
        format!(
            "networks: {text:?} is neither a network nor an address; write for instance \"10.0.0.0/8\" or \"10.1.2.3\""
        )
    })
}

/// Without a burst of its own, two seconds' worth.
fn rate(per_second: Option<u32>, burst: Option<u32>) -> Result<Option<RateSpec>, &'static str> {
    let Some(per_second) = per_second else {
        return if burst.is_none() {
            Ok(None)
        } else {
            Err("`burst` goes with `rate`, in requests a second; add that")
        };
    };
    let spec = RateSpec::new(per_second, burst.unwrap_or(per_second.saturating_mul(2)));
    spec.map(Some).ok_or("`rate` and `burst` are at least 1; to shut a client out take it out of the file")
}

/// A value that has one of a few names.
fn one_of<T: Copy>(key: &str, text: Option<&str>, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    let names: Vec<&'static str> = all.iter().map(|value| name(*value)).collect();
    let Some(text) = text else { return Err(format!("`{key}` is missing; it is one of {}", names.join(", "))) };
    all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| match nearest(text, &names) {
        Some(near) => format!("{key}: {text:?} is not known; did you mean {near:?}?"),
        None => format!("{key}: {text:?} is not known; it is one of {}", names.join(", ")),
    })
}

/// The bytes of 64 hex digits.
pub(crate) fn hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
