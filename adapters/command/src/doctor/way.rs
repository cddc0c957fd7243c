//! Does a way lead to the host? Its name is resolved and each of its addresses connected to.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use wxtoken::core::Base;

use super::{Found, Report};
use crate::exit::Exit;
use crate::lang::{Lang, pick};

/// For one address; a host has several.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

pub(crate) fn resolve(base: &Base<'_>, report: &mut Report<'_>) -> Found<Vec<SocketAddr>> {
    // An IPv6 address stands in brackets in a URL only.
    let host = base.host_str().trim_start_matches('[').trim_end_matches(']');
    let mut addresses: Vec<SocketAddr> = match (host, base.port()).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let text = match report.lang {
                Lang::Zh => format!("解析：无法解析 {host}：{error}"),
                _ => format!("name: {host} cannot be resolved: {error}"),
            };
            let remedy = pick(
                report.lang,
                "is there a network, is the name right, and does the resolver of this machine answer?",
                "请检查网络、主机名，以及本机的 DNS 解析",
            );
            return report.fail(Exit::Later, &text, Some(remedy));
        }
    };
    addresses.dedup();
    let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    report.ok(&match report.lang {
        Lang::Zh => format!("解析：{host} 的地址为 {}", list.join("、")),
        _ => format!("name: {host} is {}", list.join(", ")),
    })?;
    Ok(Some(addresses))
}

/// The connection to the first address that accepts one; the others are tried too, and told.
pub(crate) fn connect(addresses: &[SocketAddr], limit: Duration, report: &mut Report<'_>) -> Found<TcpStream> {
    let mut connected = None;
    let mut refused = Vec::new();
    for address in addresses {
        match TcpStream::connect_timeout(address, limit.clamp(Duration::from_millis(1), CONNECT_LIMIT)) {
            Ok(stream) => {
                // For each single read and write. A stream that refuses a limit is dead, as the next step finds out.
                let limit = Some(limit.max(Duration::from_millis(1)));
                let _ = stream.set_read_timeout(limit).and_then(|()| stream.set_write_timeout(limit));
                report.ok(&match report.lang {
                    Lang::Zh => format!("连接：{address} 可达"),
                    _ => format!("connection: {address} accepts"),
                })?;
                connected = connected.or(Some(stream));
            }
            Err(error) => refused.push(match report.lang {
                Lang::Zh => format!("连接：{address} 不可达：{error}"),
                _ => format!("connection: {address} cannot be reached: {error}"),
            }),
        }
    }
    let remedy = pick(
        report.lang,
        "is the port right, does a firewall stand between, does this machine need a proxy to get out?",
        "请检查端口、防火墙，以及本机是否须经代理上网",
    );
    let lost = connected.is_none();
    for (index, text) in refused.iter().enumerate() {
        // Said once, below the last of them.
        let remedy = Some(remedy).filter(|_| index + 1 == refused.len());
        if lost {
            report.fail::<()>(Exit::Later, text, remedy)?;
        } else {
            report.warn(text, None)?;
        }
    }
    Ok(connected)
}
