//! What is an alarm, and by which number is it told apart from every other?

use core::fmt;

use wxtoken_embedded::core::Instant;

/// What a sensor says when it trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// When, by the clock of the device.
    pub at: Instant,
    /// The same by the time of day, in seconds since the Unix epoch; `None` while the device does not know it.
    pub unix_s: Option<u64>,
    /// What was measured: the water stands so high, in millimetres.
    pub level_mm: u16,
}

/// An alarm that waits to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its number.
    pub number: Number,
    /// What it is about.
    pub trip: Trip,
    /// How often it was sent and did not get through.
    pub(super) tries: u8,
    /// When it was sent first without an answer, so that it may have arrived.
    pub(super) unanswered_at: Option<Instant>,
}

impl Alarm {
    pub(super) const fn new(number: Number, trip: Trip) -> Self {
        Self { number, trip, tries: 0, unanswered_at: None }
    }
}

/// The number of an alarm. The platform recognises an alarm by it that it has taken over already, so no two may have the
/// same: not on two devices, and not before and after a reset, which begins to count anew.
///
/// As text `17-5f3a9c1e-1`: serial number, boot, count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The serial number of the device.
    pub device: u64,
    /// Chance, drawn at the boot.
    pub boot: u32,
    /// Alarms since the boot.
    pub count: u32,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}-{}", self.device, self.boot, self.count)
    }
}

impl defmt::Format for Number {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u64}-{=u32:08x}-{=u32}", self.device, self.boot, self.count);
    }
}
