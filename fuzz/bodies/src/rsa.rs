//! RSA powers on both paths against crypto-bigint.
//!
//! The input is what chooses the width in bits and the exponent, four octets, then the modulus and the signature by turns,
//! one octet of each; where it ends, both go on with zeros.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use waxseal_arithmetic::rsa::{Context, MAX_OCTETS, Path, PublicKey};

/// See above.
pub fn run(input: &[u8]) {
    let Some(([high, low, kind, exponent], input)) = input.split_first_chunk::<4>() else { return };
    let bits = 2048 + usize::from(u16::from_be_bytes([*high, *low])) % 2049;
    let length = bits.div_ceil(8);
    let octets = |turn| (0..length).map(move |at| input.get(2 * at + turn).copied().unwrap_or_default());
    let (mut modulus, signature): (Vec<u8>, Vec<u8>) = (octets(0).collect(), octets(1).collect());
    let top = (bits - 1) % 8;
    modulus[0] = modulus[0] & ((1 << top) - 1) | 1 << top;
    modulus[length - 1] |= 1;
    let exponent = match kind {
        0..0x80 => 65537,
        _ => 65537 + (u32::from(*exponent) << (kind & 0xf) << 1),
    };
    // From 2^16 to 2^24, or above: three octets, or four.
    let exponent_octets = exponent.to_be_bytes();
    let Ok(key) = PublicKey::new(&modulus, exponent_octets.strip_prefix(&[0]).unwrap_or(&exponent_octets)) else {
        return;
    };

    let expected = (signature < modulus).then(|| {
        let odd = Odd::new(BoxedUint::from_be_slice_vartime(&modulus)).unwrap();
        let params = BoxedMontyParams::new_vartime(odd);
        let base = BoxedUint::from_be_slice(&signature, params.bits_precision()).unwrap();
        let power = BoxedMontyForm::new(base, &params).pow_bounded_exp(&BoxedUint::from(exponent), 32);
        let octets = power.retrieve().to_be_bytes();
        octets[octets.len() - length..].to_vec()
    });
    for path in [Path::Simd, Path::Scalar] {
        let context = Context::with_path(&key, path);
        assert_eq!(context.path(), path);
        let mut buffer = [0xa5; MAX_OCTETS];
        assert_eq!(context.power(&signature, &mut buffer), expected.as_deref(), "{path:?}");
    }
}
