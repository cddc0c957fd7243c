//! How does a gateway without an executor do its job?

use wxtoken_embedded::{
    Clock,
    blocking::{Client, Connect, Remember},
};

use super::{Alarm, CALL_LIMIT, Delivery, Job, Trip, Verdict};

/// A sensor that may trip. It has to remember that until it is asked, which may take as long as an exchange: an interrupt
/// that sets a flag, a register that stays.
pub trait Sensor {
    /// Whether it has tripped since it was last asked.
    fn trip(&mut self) -> Option<Trip>;
}

/// Does `job` with `client` until it ends.
///
/// `rest` passes some of the time in which there is nothing to do. It gets the connector, whose stack may want to be
/// polled, and may come back at any time.
pub fn work<C: Connect, K: Clock, M: Remember>(
    client: &mut Client<'_, C, K, M>,
    job: &mut Job<'_>,
    clock: &mut impl Clock,
    sensor: &mut impl Sensor,
    mut rest: impl FnMut(&mut C),
) -> Verdict {
    loop {
        watch(job, sensor);
        if let Some(verdict) = client.tick().and_then(|attempt| job.fetched(&attempt)) {
            return verdict;
        }
        let now = clock.now();
        if let Some(alarm) = job.due(now, client.token().is_some()) {
            let delivery = send(client, job, &alarm, sensor, &mut rest);
            let generation = client.keeper().generation();
            if let Some(verdict) = job.sent(&alarm, now, clock.now(), delivery, generation) {
                return verdict;
            }
        }
        rest(client.connector());
    }
}

/// Sends one alarm. Others may be raised meanwhile.
fn send<C: Connect, K: Clock, M: Remember>(
    client: &mut Client<'_, C, K, M>,
    job: &mut Job<'_>,
    alarm: &Alarm,
    sensor: &mut impl Sensor,
    rest: &mut impl FnMut(&mut C),
) -> Delivery {
    let product = client.keeper().endpoint().product();
    let message = match job.message(alarm) {
        Ok(message) => message,
        Err(never) => return never,
    };
    let Ok(call) = message.call() else { return Delivery::Never(Verdict::Own) };
    let result = client.call(&call, CALL_LIMIT, |connector| {
        rest(connector);
        watch(job, sensor);
    });
    Delivery::of(&result, product)
}

fn watch(job: &mut Job<'_>, sensor: &mut impl Sensor) {
    while let Some(trip) = sensor.trip() {
        job.tripped(trip);
    }
}
