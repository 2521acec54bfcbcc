//! Lists of names: which of them stand twice. One sort serves every layer, since each copy of one weighs kilobytes.

/// The names that stand more than once, each given once, sorted. It costs no more than a sort, whatever the names are.
pub(crate) fn repeated(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    let mut twice = Vec::new();
    for pair in names.windows(2) {
        if let [one, other] = pair
            && one == other
            && twice.last() != Some(one)
        {
            twice.push(*one);
        }
    }
    twice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_three_times_is_given_once() {
        assert_eq!(repeated(vec!["b", "a", "b", "c", "a", "b"]), ["a", "b"]);
        assert!(repeated(vec!["a", "b", ""]).is_empty());
    }
}
