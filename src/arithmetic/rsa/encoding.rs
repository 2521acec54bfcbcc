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
