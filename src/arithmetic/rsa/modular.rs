//! Powers modulo an odd number by Montgomery multiplication (Montgomery, "Modular Multiplication Without Trial
//! Division", 1985), whatever the representation of numbers.

use super::number::power_of_two;

/// An odd modulus, a radix R that is a power of two above it, and residues in a representation of its own. The
/// Montgomery form of x is x·R.
pub(super) trait Montgomery {
    /// A representative of a residue class; of which one, and of how many, the implementation says.
    type Residue: Clone;

    /// What a multiplication writes before it reads. It is made once for many, since to zero it takes time.
    type Workspace: Default;

    /// The binary logarithm of R.
    fn radix_bits(&self) -> usize;

    /// The residue of 0.
    fn zero(&self) -> Self::Residue;

    /// The residue of a big-endian number below the modulus, as it is.
    fn read(&self, octets: &[u8]) -> Self::Residue;

    /// Makes `product` into a·b/R.
    fn multiply(&self, a: &Self::Residue, b: &Self::Residue, product: &mut Self::Residue, work: &mut Self::Workspace);

    /// Makes `product` into a²/R.
    fn square(&self, a: &Self::Residue, product: &mut Self::Residue, work: &mut Self::Workspace);

    /// Writes the number below the modulus, big-endian.
    fn write(&self, residue: &Self::Residue, octets: &mut [u8]);
}

/// A modulus, with what brings numbers into Montgomery form.
#[derive(Debug)]
pub(super) struct Powers<M: Montgomery> {
    modulus: M,
    /// The Montgomery form of R.
    radix_squared: M::Residue,
}

impl<M: Montgomery> Powers<M> {
    /// Those of a modulus; `octets` are the same number, big-endian without leading zeros.
    pub(super) fn new(modulus: M, octets: &[u8]) -> Self {
        let radix_bits = modulus.radix_bits();
        // 2 in Montgomery form to the power of the bits of R is R in Montgomery form.
        let two = modulus.read(&power_of_two(octets, radix_bits + 1));
        let (mut first, mut second, work) = (two.clone(), modulus.zero(), &mut M::Workspace::default());
        let (power, other) =
            raise(&modulus, &mut first, &mut second, &two, u32::try_from(radix_bits).unwrap_or_default(), work);
        let radix_squared = if radix_bits % 2 == 1 {
            modulus.multiply(power, &two, other, work);
            other.clone()
        } else {
            power.clone()
        };
        Self { modulus, radix_squared }
    }

    pub(super) const fn modulus(&self) -> &M {
        &self.modulus
    }

    /// Writes the base, which is below the modulus, to the power of an odd exponent above 1.
    pub(super) fn power(&self, base: &[u8], exponent: u32, octets: &mut [u8]) {
        let (mut first, mut second, work) = (self.modulus.zero(), self.modulus.zero(), &mut M::Workspace::default());
        let plain = self.modulus.read(base);
        self.modulus.multiply(&plain, &self.radix_squared, &mut first, work);
        let base = first.clone();
        let (power, other) = raise(&self.modulus, &mut first, &mut second, &base, exponent, work);
        // The exponent is odd. That the last factor is not in Montgomery form leaves the power not in Montgomery form.
        self.modulus.multiply(power, &plain, other, work);
        self.modulus.write(other, octets);
    }
}

/// Raises a base, which `power` is in the beginning, to an exponent without its lowest bit: by squaring and multiplying
/// from the top bit down (Knuth, "The Art of Computer Programming", volume 2, section 4.6.3). Gives back the power, and
/// the other residue.
fn raise<'a, M: Montgomery>(
    modulus: &M,
    mut power: &'a mut M::Residue,
    mut other: &'a mut M::Residue,
    base: &M::Residue,
    exponent: u32,
    work: &mut M::Workspace,
) -> (&'a mut M::Residue, &'a mut M::Residue) {
    for bit in (0..exponent.checked_ilog2().unwrap_or_default()).rev() {
        modulus.square(power, other, work);
        (power, other) = (other, power);
        if bit > 0 && exponent >> bit & 1 == 1 {
            modulus.multiply(power, base, other, work);
            (power, other) = (other, power);
        }
    }
    (power, other)
}
