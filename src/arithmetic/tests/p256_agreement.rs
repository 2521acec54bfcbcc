//! smoke
#![allow(clippy::unwrap_used, reason = "test")]
use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p256::ecdsa::{Signature, SigningKey};
use waxseal_arithmetic::p256::{PublicKey, Table, TableBuilder};

fn build(mut builder: TableBuilder) -> Table {
    while !builder.step() {}
    builder.finish().unwrap()
}

#[test]
fn smoke() {
    let generator = build(TableBuilder::generator());
    for i in 1..20_u8 {
        let key = SigningKey::from_slice(&[i; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        let ours = PublicKey::new(&(*x).into(), &(*y).into()).unwrap();
        let table = build(ours.table());
        for j in 0..20_u8 {
            let digest = [j.wrapping_mul(37); 32];
            let signature: Signature = key.sign_prehash(&digest).unwrap();
            let mut octets: [u8; 64] = signature.to_bytes().into();
            assert!(key.verifying_key().verify_prehash(&digest, &signature).is_ok());
            assert!(ours.verify(&digest, &octets), "cold {i} {j}");
            assert!(PublicKey::verify_hot(&generator, &table, &digest, &octets), "hot {i} {j}");
            octets[usize::from(j)] ^= 1;
            assert!(!ours.verify(&digest, &octets), "cold {i} {j}");
            assert!(!PublicKey::verify_hot(&generator, &table, &digest, &octets), "hot {i} {j}");
        }
    }
}
