//! Lists of names: which of them stand twice. A heap does it, since a sort of the standard library weighs kilobytes.

use std::collections::BinaryHeap;

/// The names that stand more than once, each given once, sorted. It costs no more than a sort, whatever the names are.
pub(crate) fn repeated(names: Vec<&str>) -> Vec<&str> {
    let mut names = BinaryHeap::from(names);
    let mut twice = Vec::new();
    while let Some(name) = names.pop() {
        if names.peek() == Some(&name) && twice.last() != Some(&name) {
            twice.push(name);
        }
    }
    twice.reverse();
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
