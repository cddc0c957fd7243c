//! How are the numbers written? One family after the other, each with all its accounts.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

use super::super::status::State;
use crate::Status;

/// What one scrape found.
#[derive(Debug, Default)]
pub(super) struct Scrape {
    pub(super) states: [u64; State::ALL.len()],
    /// How many accounts are told apart.
    pub(super) accounts: usize,
    pub(super) credentials: Vec<(Arc<str>, &'static str, Status)>,
    pub(super) served: Option<Served>,
}

/// What is the server's, and nobody else's to know.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) uptime: Duration,
    pub(super) fetching: usize,
    pub(super) store_trouble: Option<&'static str>,
    pub(super) fetches: Vec<(&'static str, u64)>,
    pub(super) reports: Vec<(&'static str, u64)>,
    pub(super) rotations: Vec<(&'static str, u64)>,
    pub(super) requests: Vec<(&'static str, &'static str, u64)>,
}

struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn gauges<V: EncodeGaugeValue, L: prometheus_client::encoding::EncodeLabelSet>(
        &mut self,
        (name, help, unit): (&str, &str, Option<&Unit>),
        samples: impl Iterator<Item = (L, V)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in samples {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counters<L: prometheus_client::encoding::EncodeLabelSet>(
        &mut self,
        (name, help): (&str, &str),
        samples: impl Iterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

type Label<'a> = (&'a str, &'a str);

/// A number that fits whatever a gauge takes.
fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut to = Writer(encoder);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        to.gauges(("wxtoken_build", "The server's version, in a label", None), [(version, 1_i64)].into_iter())?;
        let states = State::ALL.iter().zip(self.states).map(|(state, count)| ([("state", state.name())], whole(count)));
        to.gauges(("wxtoken_accounts", "Accounts by the state of their worst credential", None), states)?;
        let apart = [([] as [Label<'_>; 0], whole(self.accounts))];
        to.gauges(("wxtoken_accounts_apart", "Accounts that are told apart below", None), apart.into_iter())?;
        self.credentials(&mut to)?;
        self.served.as_ref().map_or(Ok(()), |served| served.encode(&mut to))
    }
}

impl Scrape {
    fn credentials(&self, to: &mut Writer<'_>) -> fmt::Result {
        let all = || {
            let credentials = self.credentials.iter();
            credentials.map(|(account, kind, status)| ([("account", &**account), ("kind", *kind)], status))
        };
        to.gauges(
            ("wxtoken_credential_valid", "Whether a credential is valid now", None),
            all().map(|(labels, status)| (labels, i64::from(status.remaining.is_some()))),
        )?;
        to.gauges(
            ("wxtoken_credential_failing", "Whether the last fetch failed", None),
            all().map(|(labels, status)| (labels, i64::from(status.trouble.is_some()))),
        )?;
        to.gauges(
            ("wxtoken_credential_remaining", "The life left", Some(&Unit::Seconds)),
            all().map(|(labels, status)| (labels, status.remaining.unwrap_or_default().as_secs_f64())),
        )?;
        to.gauges(
            (
                "wxtoken_credential_next_fetch",
                "Until the next fetch; absent while a ticket waits",
                Some(&Unit::Seconds),
            ),
            all().filter_map(|(labels, status)| Some((labels, status.next_in?.as_secs_f64()))),
        )?;
        to.gauges(
            ("wxtoken_credential_generation", "Counts the different ones so far", None),
            all().map(|(labels, status)| (labels, i64::from(status.generation))),
        )?;
        to.gauges(
            ("wxtoken_credential_saved", "Whether the store holds it as it is", None),
            all().map(|(labels, status)| (labels, i64::from(status.saved))),
        )?;
        to.gauges(
            ("wxtoken_ledger_fetches", "Fetches counted today", None),
            all().map(|(labels, status)| (labels, i64::from(status.ledger.fetches))),
        )?;
        to.gauges(
            ("wxtoken_ledger_limit", "The most fetches in a day", None),
            all().map(|(labels, status)| (labels, i64::from(status.daily_limit))),
        )?;
        to.counters(
            ("wxtoken_reads", "How often a credential was asked for"),
            all().map(|(labels, status)| (labels, status.readers)),
        )
    }
}

impl Served {
    fn encode(&self, to: &mut Writer<'_>) -> fmt::Result {
        let alone: [Label<'_>; 0] = [];
        let uptime = [(alone, self.uptime.as_secs_f64())];
        to.gauges(("wxtoken_uptime", "Since the server started", Some(&Unit::Seconds)), uptime.into_iter())?;
        let fetching = [(alone, whole(self.fetching))];
        to.gauges(("wxtoken_fetching", "Exchanges with the platform under way", None), fetching.into_iter())?;
        let store = [([("class", self.store_trouble.unwrap_or("none"))], i64::from(self.store_trouble.is_some()))];
        to.gauges(("wxtoken_store_trouble", "Whether the store fails, and how", None), store.into_iter())?;
        for (name, help, counts) in [
            ("wxtoken_fetches", "Exchanges with the platform, by what came of them", &self.fetches),
            ("wxtoken_reports", "Reports of refused credentials, by what they led to", &self.reports),
            ("wxtoken_rotations", "Wishes for a new credential, by what they led to", &self.rotations),
        ] {
            to.counters((name, help), counts.iter().map(|(outcome, count)| ([("outcome", *outcome)], *count)))?;
        }
        let requests =
            self.requests.iter().map(|(route, status, count)| ([("route", *route), ("status", *status)], *count));
        to.counters(("wxtoken_requests", "Requests by route and class of status"), requests)
    }
}
