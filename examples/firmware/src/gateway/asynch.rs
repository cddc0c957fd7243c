//! How does a gateway do its job in a task of an executor?
//!
//! The network stack runs in a task of its own, so there is nothing to poll here.

use core::{convert::Infallible, time::Duration};

use embassy_futures::select::{Either, select};
use wxtoken_embedded::{
    Timer,
    asynch::{Client, Connect, Remember},
    core::Instant,
};

use super::{Alarm, CALL_LIMIT, Delivery, Job, Trip, Verdict};

/// A sensor that may trip: a pin's `wait_for_rising_edge`, the receiving end of a channel that other tasks send to.
#[allow(async_fn_in_trait, reason = "the executor polls on one thread")]
pub trait Sensor {
    /// Waits until it trips. Dropping the future loses no trip; what happens while nobody waits is told next time.
    async fn trip(&mut self) -> Trip;
}

/// So often a client's memory wants to be asked although nothing is due.
const HOUR: Duration = Duration::from_secs(3600);

/// Does `job` with `client` until it ends. It sleeps while nothing is due and the sensor is quiet.
pub async fn work<C: Connect, T: Timer, M: Remember>(
    client: &mut Client<'_, C, T, M>,
    job: &mut Job<'_>,
    timer: &mut impl Timer,
    sensor: &mut impl Sensor,
) -> Verdict {
    loop {
        // A fetch under way is not dropped for a sensor: that would cost its ticket.
        if let Some(verdict) = client.tick().await.and_then(|attempt| job.fetched(&attempt)) {
            return verdict;
        }
        let now = timer.now();
        let held = client.token().is_some();
        if let Some(alarm) = job.due(now, held) {
            let delivery = send(client, job, &alarm, sensor).await;
            let generation = client.keeper().generation();
            if let Some(verdict) = job.sent(&alarm, now, timer.now(), delivery, generation) {
                return verdict;
            }
            continue;
        }
        let alarm_at = job.due_at().filter(|_| held);
        let until =
            [Some(client.poll_at()), alarm_at].into_iter().flatten().fold(now.saturating_add(HOUR), Instant::min);
        if let Either::First(trip) = select(sensor.trip(), timer.wait_until(until)).await {
            job.tripped(trip);
        }
    }
}

/// Sends one alarm. Others may be raised meanwhile.
async fn send<C: Connect, T: Timer, M: Remember>(
    client: &mut Client<'_, C, T, M>,
    job: &mut Job<'_>,
    alarm: &Alarm,
    sensor: &mut impl Sensor,
) -> Delivery {
    let product = client.keeper().endpoint().product();
    let message = match job.message(alarm) {
        Ok(message) => message,
        Err(never) => return never,
    };
    let Ok(call) = message.call() else { return Delivery::Never(Verdict::Own) };
    match select(client.call(&call, CALL_LIMIT), watch(job, sensor)).await {
        Either::First(result) => Delivery::of(&result, product),
        Either::Second(never) => match never {},
    }
}

async fn watch(job: &mut Job<'_>, sensor: &mut impl Sensor) -> Infallible {
    loop {
        let trip = sensor.trip().await;
        job.tripped(trip);
    }
}
