//! How many different visitors there were, without remembering them: HyperLogLog.
//!
//! 2¹⁴ registers: a standard error of 0.81 % (Flajolet, Fusy, Gandouet, Meunier 2007), by the
//! estimator of Ertl (2017, "New cardinality estimation algorithms for HyperLogLog sketches",
//! algorithm 6), which needs no correction tables and is right for small numbers as well. Adding a
//! visitor twice changes nothing, and neither does the order: merging is a union.

use super::{BadTally, put_number, take_number};

/// Bits of a hash that choose the register.
const PRECISION: u32 = 14;
/// Registers.
const REGISTERS: usize = 1 << PRECISION;
/// The highest a register can be: the place of the first one among the other 50 bits, or one more.
const HIGHEST: u8 = (64 - PRECISION) as u8 + 1;
/// Bits of a register in the stored form.
const BITS: u32 = 6;
/// Bytes of the stored form with every register.
const DENSE_BYTES: usize = REGISTERS * BITS as usize / 8;
/// Registers in use up to which a sketch keeps a list of them.
const LIST_MOST: usize = 1_024;
/// Registers in use up to which the stored form is a list: about as long as the other then.
const STORED_LIST_MOST: usize = 5_500;

/// The first byte of the stored forms.
const LIST: u8 = 0;
const DENSE: u8 = 1;

/// A sketch of a set of visitors.
#[derive(Debug, Clone)]
pub struct Sketch(Registers);

#[derive(Debug, Clone)]
enum Registers {
    /// Those in use, in order: number of the register, then its value in the lowest six bits.
    List(Vec<u32>),
    /// All of them.
    All(Box<[u8]>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self(Registers::List(Vec::new()))
    }
}

impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.in_use().eq(other.in_use())
    }
}

impl Eq for Sketch {}

impl Sketch {
    /// Adds a visitor by a hash of them, whose 64 bits are evenly distributed.
    pub fn add(&mut self, hash: u64) {
        let register = (hash % REGISTERS as u64) as u32;
        let place = (hash >> PRECISION).trailing_zeros().min(u32::from(HIGHEST) - 1);
        self.raise(register, place as u8 + 1);
    }

    /// Adds the visitors of another.
    pub fn merge(&mut self, more: &Self) {
        match (&mut self.0, &more.0) {
            (Registers::List(list), _) if list.is_empty() => self.0 = more.0.clone(),
            (Registers::List(list), Registers::List(more))
                if list.len() + more.len() <= LIST_MOST =>
            {
                list.extend(more);
                list.sort();
                // Of one register the higher value stands behind.
                list.dedup_by(|next, kept| {
                    let same = parts(*next).0 == parts(*kept).0;
                    if same {
                        *kept = *next;
                    }
                    same
                });
            }
            (Registers::List(_), _) => {
                self.spread();
                self.merge(more);
            }
            (Registers::All(all), Registers::List(more)) => raise_all(all, more),
            // Without a branch: some dozen registers at a time.
            (Registers::All(all), Registers::All(more)) => {
                all.iter_mut().zip(more).for_each(|(value, more)| *value = (*value).max(*more));
            }
        }
    }

    /// How many different visitors were added, about.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        let counts = self.counts();
        let used: usize = counts[1..].iter().sum();
        if used == 0 {
            return 0;
        }
        let m = REGISTERS as f64;
        let count = |value: u8| counts[usize::from(value)] as f64;
        let mut z = m * tau(1.0 - count(HIGHEST) / m);
        for value in (1..HIGHEST).rev() {
            z = 0.5 * (z + count(value));
        }
        z += m * sigma((REGISTERS - used) as f64 / m);
        (m * m / (2.0 * std::f64::consts::LN_2 * z)).round() as u64
    }

    /// How many registers have each value. Of those without, only some.
    fn counts(&self) -> [usize; 1 << BITS] {
        let mut counts = [0; 1 << BITS];
        match &self.0 {
            Registers::List(list) => {
                list.iter().for_each(|entry| counts[usize::from(parts(*entry).1)] += 1);
            }
            Registers::All(all) => {
                // Neighbours are often equal: counted in one place, each would wait for the other.
                let mut lanes = [[0u32; 1 << BITS]; 4];
                for four in all.chunks_exact(4) {
                    for (lane, value) in lanes.iter_mut().zip(four) {
                        lane[usize::from(value & 0x3f)] += 1;
                    }
                }
                for lane in lanes {
                    counts.iter_mut().zip(lane).for_each(|(sum, count)| *sum += count as usize);
                }
            }
        }
        counts
    }

    /// Appends the stored form: nothing, a list, or every register in six bits.
    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        let used = self.in_use().count();
        match used {
            0 => {}
            1..=STORED_LIST_MOST => {
                bytes.push(LIST);
                let mut last = 0;
                for (register, value) in self.in_use() {
                    let entry = entry(register, value);
                    put_number(u64::from(entry - last), bytes);
                    last = entry;
                }
            }
            _ => {
                bytes.push(DENSE);
                let first = bytes.len();
                bytes.resize(first + DENSE_BYTES, 0);
                pack(self.in_use(), &mut bytes[first..]);
            }
        }
    }

    /// Reads the stored form, all of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadTally> {
        match bytes.split_first() {
            None => Ok(Self::default()),
            Some((&LIST, list)) => Self::read_list(list),
            Some((&DENSE, packed)) if packed.len() == DENSE_BYTES => Ok(Self::unpack(packed)),
            Some(_) => Err(BadTally("the sketch")),
        }
    }

    fn read_list(mut bytes: &[u8]) -> Result<Self, BadTally> {
        let bad = BadTally("the sketch");
        let mut list = Vec::with_capacity(bytes.len().div_ceil(2).min(REGISTERS));
        let mut last = 0u32;
        while !bytes.is_empty() {
            let step = u32::try_from(take_step(&mut bytes)?).map_err(|_| bad)?;
            let entry = last.checked_add(step).ok_or(bad)?;
            let (register, value) = parts(entry);
            let fits = (register as usize) < REGISTERS && (1..=HIGHEST).contains(&value);
            if !fits || last != 0 && parts(last).0 == register {
                return Err(bad);
            }
            list.push(entry);
            last = entry;
        }
        let mut sketch = Self(Registers::List(list));
        sketch.bound();
        Ok(sketch)
    }

    fn unpack(packed: &[u8]) -> Self {
        let mut all = vec![0u8; REGISTERS].into_boxed_slice();
        for (four, three) in all.chunks_exact_mut(4).zip(packed.chunks_exact(3)) {
            let bits = u32::from_le_bytes([three[0], three[1], three[2], 0]);
            for (at, value) in four.iter_mut().enumerate() {
                *value = ((bits >> (BITS as usize * at)) as u8 & 0x3f).min(HIGHEST);
            }
        }
        Self(Registers::All(all))
    }

    /// Sets a register to at least `value`.
    fn raise(&mut self, register: u32, value: u8) {
        match &mut self.0 {
            Registers::All(all) => {
                let there = &mut all[register as usize];
                *there = (*there).max(value);
            }
            Registers::List(list) => {
                let entry = entry(register, value);
                let at = list.partition_point(|known| parts(*known).0 < register);
                match list.get_mut(at) {
                    Some(known) if parts(*known).0 == register => *known = (*known).max(entry),
                    _ => list.insert(at, entry),
                }
                self.bound();
            }
        }
    }

    /// Gives up a list that is too long.
    fn bound(&mut self) {
        if matches!(&self.0, Registers::List(list) if list.len() > LIST_MOST) {
            self.spread();
        }
    }

    fn spread(&mut self) {
        let mut all = vec![0u8; REGISTERS].into_boxed_slice();
        self.in_use().for_each(|(register, value)| all[register as usize] = value);
        self.0 = Registers::All(all);
    }

    /// The registers in use, in order, with their values.
    fn in_use(&self) -> impl Iterator<Item = (u32, u8)> + '_ {
        let (list, all): (&[u32], &[u8]) = match &self.0 {
            Registers::List(list) => (list, &[]),
            Registers::All(all) => (&[], all),
        };
        let all = (0u32..).zip(all).filter(|(_, value)| **value > 0);
        list.iter()
            .map(|entry| parts(*entry))
            .chain(all.map(|(register, value)| (register, *value)))
    }
}

fn entry(register: u32, value: u8) -> u32 {
    register << BITS | u32::from(value)
}

fn parts(entry: u32) -> (u32, u8) {
    (entry >> BITS, entry as u8 & 0x3f)
}

/// Sets registers to at least the values of a list.
fn raise_all(all: &mut [u8], list: &[u32]) {
    for (register, value) in list.iter().map(|entry| parts(*entry)) {
        let there = &mut all[register as usize];
        *there = (*there).max(value);
    }
}

/// Takes a number from a list: nearly always one of two bytes.
fn take_step(bytes: &mut &[u8]) -> Result<u64, BadTally> {
    match **bytes {
        [low, high, ref rest @ ..] if low >= 0x80 && high < 0x80 => {
            *bytes = rest;
            Ok(u64::from(high) << 7 | u64::from(low & 0x7f))
        }
        _ => take_number(bytes),
    }
}

/// Six bits a register, four registers in three bytes, the first in the lowest bits.
fn pack(registers: impl Iterator<Item = (u32, u8)>, packed: &mut [u8]) {
    for (register, value) in registers {
        let bit = register as usize * BITS as usize;
        let bits = u16::from(value) << (bit % 8);
        packed[bit / 8] |= bits as u8;
        if bit % 8 > 2 {
            packed[bit / 8 + 1] |= (bits >> 8) as u8;
        }
    }
}

/// σ of Ertl's paper: what empty registers contribute.
fn sigma(mut x: f64) -> f64 {
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before || !z.is_finite() {
            return z;
        }
    }
}

/// τ of Ertl's paper: what registers at the brim contribute.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// SplitMix64 (Steele, Lea, Flood 2014): a number becomes evenly distributed bits.
    fn hash(n: u64) -> u64 {
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn sketch_of(visitors: impl IntoIterator<Item = u64>) -> Sketch {
        let mut sketch = Sketch::default();
        visitors.into_iter().for_each(|n| sketch.add(hash(n)));
        sketch
    }

    fn stored(sketch: &Sketch) -> Vec<u8> {
        let mut bytes = Vec::new();
        sketch.put(&mut bytes);
        bytes
    }

    #[test]
    fn few_visitors_are_counted_nearly_exactly_and_many_within_two_percent() {
        for (visitors, off) in [(0, 0), (1, 0), (2, 0), (10, 0), (100, 2), (1_000, 8)] {
            let sketch = sketch_of(0..visitors);
            assert!(
                sketch.estimate().abs_diff(visitors) <= off,
                "{visitors}: {}",
                sketch.estimate()
            );
        }
        for visitors in [5_000, 20_000, 100_000, 1_000_000u64] {
            let estimate = sketch_of(0..visitors).estimate();
            assert!(estimate.abs_diff(visitors) * 50 <= visitors, "{visitors}: {estimate}");
        }
    }

    #[test]
    fn the_stored_form_is_short_for_few_and_bounded_for_many() {
        assert_eq!(stored(&Sketch::default()).len(), 0);
        assert!(stored(&sketch_of(0..1)).len() <= 4);
        assert!(stored(&sketch_of(0..100)).len() <= 301);
        assert_eq!(stored(&sketch_of(0..100_000)).len(), 1 + DENSE_BYTES);
    }

    proptest! {
        #[test]
        fn merging_is_a_union_in_any_order(
            a in prop::collection::vec(0u64..4_000, 0..3_000),
            b in prop::collection::vec(0u64..4_000, 0..30),
        ) {
            let both = sketch_of(a.iter().chain(&b).copied());
            let (mut ab, mut ba) = (sketch_of(a.clone()), sketch_of(b.clone()));
            ab.merge(&sketch_of(b));
            ba.merge(&sketch_of(a));
            prop_assert_eq!(&ab, &both);
            prop_assert_eq!(&ba, &both);
            prop_assert_eq!(&Sketch::read(&stored(&both)).unwrap(), &both);
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) {
            if let Ok(sketch) = Sketch::read(&bytes) {
                prop_assert!(sketch.estimate() < u64::MAX);
            }
        }
    }
}
