//! The algorithms (RFC 7518): all there is to know about one `alg` is one row of a table, and nothing else in the crate
//! switches on the name.

use core::ops::RangeInclusive;

/// A signature algorithm of RFC 7518 section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
}

struct Row {
    name: &'static str,
    key_type: &'static str,
    curve: Option<&'static str>,
    signature_lengths: RangeInclusive<usize>,
}

static ES256: Row = Row { name: "ES256", key_type: "EC", curve: Some("P-256"), signature_lengths: 64..=64 };
static RS256: Row = Row { name: "RS256", key_type: "RSA", curve: None, signature_lengths: 256..=512 };

impl Algorithm {
    /// Every algorithm, in the order in which documents name them.
    pub const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    fn row(self) -> &'static Row {
        match self {
            Self::Es256 => &ES256,
            Self::Rs256 => &RS256,
        }
    }

    /// The value of `alg` (RFC 7518 section 3.1).
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The algorithm of that exact name; names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The `kty` of its keys (RFC 7518 section 6.1).
    #[must_use]
    pub fn key_type(self) -> &'static str {
        self.row().key_type
    }

    /// The `crv` of its keys, where the key type has curves (RFC 7518 section 6.2.1.1).
    #[must_use]
    pub fn curve(self) -> Option<&'static str> {
        self.row().curve
    }

    /// How many bytes a signature can have: r and s (RFC 7518 section 3.4), or as many as the modulus, which here is of
    /// 2048 to 4096 bits (section 3.3).
    #[must_use]
    pub fn signature_lengths(self) -> RangeInclusive<usize> {
        self.row().signature_lengths.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm_and_no_other_spelling_does() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(Algorithm::from_name(&algorithm.name().to_lowercase()), None);
        }
        for name in ["", "none", "HS256", "ES256 ", "ES256K", "PS256"] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }
}
