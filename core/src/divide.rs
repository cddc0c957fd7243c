//! How are 64 bits divided where the processor cannot? Bit by bit: the compiler's own routine is fast and half a kilobyte
//! of a small target's flash, for a handful of divisions an hour.

/// Quotient and remainder. Nothing is divided by 0: the quotient is then all ones.
#[inline(never)]
pub(crate) const fn divide(n: u64, by: u32) -> (u64, u32) {
    let (mut quotient, mut rest) = (n, 0_u64);
    let mut bit = 0;
    while bit < 64 {
        rest = (rest << 1) | (quotient >> 63);
        quotient <<= 1;
        if rest >= by as u64 {
            rest -= by as u64;
            quotient |= 1;
        }
        bit += 1;
    }
    // Less than `by`.
    (quotient, rest as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_as_the_language_does() {
        let edges = [0, 1, 2, 9, 10, 11, 999, 1000, 86_399, 86_400, 86_400_000, u64::from(u32::MAX), 1 << 32, 1 << 63];
        for n in edges.iter().flat_map(|&n| [n, n.wrapping_mul(0x9e37_79b9_7f4a_7c15), u64::MAX - n]) {
            for by in [1, 2, 3, 10, 1000, 86_400, 86_400_000, u32::MAX - 1, u32::MAX] {
                assert_eq!(divide(n, by), (n / u64::from(by), (n % u64::from(by)) as u32), "{n} by {by}");
            }
        }
    }
}
