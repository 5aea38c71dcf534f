//! Chance that can be repeated.
//!
//! Every record rolls dice of its own, named after what it is and its place in the list. So a larger
//! company begins with the same people as a smaller one, and a new field does not reshuffle the rest.

/// A sequence of numbers that depends only on how it was named.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The dice of the record number `index` of the kind `what`.
    pub(crate) fn of(seed: u64, what: &str, index: usize) -> Dice {
        // FNV-1a over the name; SplitMix64 does the mixing.
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
        for byte in what.bytes().chain((index as u64).to_le_bytes()) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Dice(state)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit.max(1) as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Text of `count` digits, the first of them not zero.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|place| char::from(b'0' + self.between(i64::from(place == 0), 9) as u8))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_same_name_rolls_the_same() {
        let (mut a, mut b) = (Dice::of(7, "employee", 3), Dice::of(7, "employee", 3));
        assert_eq!(a.digits(40), b.digits(40));
        assert_ne!(Dice::of(7, "employee", 4).digits(40), Dice::of(8, "employee", 4).digits(40));
    }
}
