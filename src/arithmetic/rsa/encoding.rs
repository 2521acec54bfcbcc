//! EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 9.2), compared as a whole: a verifier that parses the padding can be
//! made to skip parts of it (Bleichenbacher's forgery of 2006).

/// DER of `DigestInfo` up to the digest, for SHA-256 with NULL parameters (RFC 8017 section 9.2 note 1). A verifier that
/// compares accepts no other encoding.
const SHA256_DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// Whether octets, as many as the modulus has, are `00 01 ff…ff 00`, the `DigestInfo` and the digest.
pub(super) fn is_encoded_message(octets: &[u8], digest: &[u8; 32]) -> bool {
    let Some((rest, last)) = octets.split_last_chunk::<32>() else { return false };
    let Some((rest, info)) = rest.split_last_chunk::<19>() else { return false };
    let [0, 1, padding @ .., 0] = rest else { return false };
    last == digest && *info == SHA256_DIGEST_INFO && padding.iter().all(|octet| *octet == 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(length: usize, digest: &[u8; 32]) -> Vec<u8> {
        let padding = vec![0xff; length - 3 - SHA256_DIGEST_INFO.len() - digest.len()];
        [&[0, 1][..], &padding, &[0], &SHA256_DIGEST_INFO, digest].concat()
    }

    #[test]
    fn an_encoded_message_counts_only_if_every_bit_is_right() {
        let digest = &[0xa5; 32];
        for length in [256, 257, 512] {
            let message = encoded(length, digest);
            assert!(is_encoded_message(&message, digest));
            for bit in 0..8 * length {
                let mut changed = message.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_encoded_message(&changed, digest), "bit {bit} of {length} octets");
            }
        }
    }

    #[test]
    fn what_is_too_short_is_no_encoded_message() {
        let digest = &[0; 32];
        let message = encoded(256, digest);
        for length in 0..256 {
            assert!(!is_encoded_message(&message[..length], digest));
            assert!(!is_encoded_message(&message[256 - length..], digest));
        }
        // Padding that ends early, with octets after the digest (Bleichenbacher's forgery).
        let forged = [&encoded(128, digest)[..], &[0; 128]].concat();
        assert!(!is_encoded_message(&forged, digest));
    }
}
