//! How many may listen at a time? So many of each client, and so many in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::super::problem::Problem;

/// The most streams of one client.
const OF_ONE: u32 = 256;
/// The most streams in all: a part of the connections, so that the others are left to those who only read.
const OF_ALL: u32 = 2_048;

/// Who listens.
#[derive(Clone, Default)]
pub(in crate::doors) struct Places {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    all: u32,
    /// By the client's name. Who has no stream is not in here.
    each: HashMap<String, u32>,
}

/// One stream's place, free again when this is dropped.
pub(super) struct Place {
    client: String,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(super) fn take(&self, client: &str) -> Result<Place, Problem> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.each.get(client).is_some_and(|streams| *streams >= OF_ONE) {
            return Err(Problem::too_many_streams_of_yours());
        }
        if taken.all >= OF_ALL {
            return Err(Problem::too_many_streams());
        }
        taken.all += 1;
        *taken.each.entry(client.to_owned()).or_default() += 1;
        Ok(Place { client: client.to_owned(), taken: self.taken.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(streams) = taken.each.get_mut(&self.client) {
            *streams = streams.saturating_sub(1);
            if *streams == 0 {
                taken.each.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(refused: Result<Place, Problem>) -> u16 {
        refused.map_or_else(|problem| problem.into_reply().status().as_u16(), |_| 200)
    }

    #[test]
    fn one_client_leaves_places_to_others_and_all_leave_connections() {
        let places = Places::default();
        let mut held: Vec<_> = (0..OF_ONE).map(|_| places.take("one")).collect();
        assert_eq!((status(places.take("one")), status(places.take("two"))), (429, 200));
        for nth in 0..OF_ALL - OF_ONE {
            held.push(places.take(&format!("other {}", nth / OF_ONE)));
        }
        assert!(held.iter().all(Result::is_ok));
        assert_eq!((status(places.take("one")), status(places.take("two"))), (429, 503));
        held.truncate(1);
        assert_eq!((status(places.take("one")), status(places.take("two"))), (200, 200));
        held.clear();
        let taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!((taken.all, taken.each.len()), (0, 0));
    }
}
