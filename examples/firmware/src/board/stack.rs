//! How much stack has been needed so far? It is painted before `main`, and what is still painted was never reached.

/// What the start-up code fills the stack with.
const PAINT: u32 = cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    /// The lowest word of the stack, which grows down to it.
    static _stack_end: u32;
    /// Just above its highest word.
    static _stack_start: u32;
}

/// Whether there was less of it than needed: then it has grown into what lies below, and nothing can be relied upon.
#[must_use]
pub fn has_overflowed() -> bool {
    high_water() >= (&raw const _stack_start as usize).saturating_sub(&raw const _stack_end as usize)
}

/// Bytes of stack in use at the worst moment so far.
#[must_use]
pub fn high_water() -> usize {
    let (mut at, top) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: the linker places both symbols in RAM, aligned to words, and `at` stays between them. Reading a word that
    // the program writes elsewhere is harmless, since it is read as volatile and only compared.
    while at < top && unsafe { at.read_volatile() } == PAINT {
        at = at.wrapping_add(1);
    }
    (top as usize).saturating_sub(at as usize)
}
