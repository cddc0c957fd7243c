//! How long after power-up does this device wait, so that ten thousand of them do not come together?

use core::time::Duration;

/// A delay in `0..=within` that depends on the device alone: the same device always waits the same time, and devices
/// with consecutive serial numbers are spread evenly.
///
/// After a power failure every gateway of a district boots in the same second. Without the time of day none of them can
/// reuse the token it stored, so each costs one fetch, and this keeps them apart.
///
/// ```
/// use core::time::Duration;
/// let within = Duration::from_secs(60);
/// assert!(wxtoken_embedded::boot_delay(7, within) <= within);
/// assert_ne!(wxtoken_embedded::boot_delay(7, within), wxtoken_embedded::boot_delay(8, within));
/// ```
#[must_use]
pub fn boot_delay(device_id: u64, within: Duration) -> Duration {
    // The finaliser of SplitMix64: serial numbers differ in their last digits, and every bit must count.
    let x = device_id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let word = (x ^ (x >> 31)) >> 32;
    // At most 49 days: beyond 32 bits of milliseconds nobody waits for a boot.
    let within_ms = within.as_secs().saturating_mul(1000).saturating_add(u64::from(within.subsec_millis()));
    let most = within_ms.min(u64::from(u32::MAX));
    // Multiply and shift: no division, no bias worth the name, and never above `most`.
    Duration::from_millis(word.saturating_mul(most.saturating_add(1)) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_neighbours_are_spread_evenly_over_a_minute() {
        let within = Duration::from_secs(60);
        let mut by_second = [0_u32; 60];
        for id in 0..10_000 {
            let delay = boot_delay(id, within);
            assert!(delay <= within);
            by_second[(delay.as_millis() as usize / 1000).min(59)] += 1;
        }
        // 166.7 on average; four standard deviations either way.
        assert!(by_second.iter().all(|n| (115..=220).contains(n)), "{by_second:?}");
        assert_eq!(boot_delay(1, Duration::ZERO), Duration::ZERO);
        assert!(boot_delay(1, Duration::MAX) <= Duration::from_millis(u64::from(u32::MAX)));
    }
}
