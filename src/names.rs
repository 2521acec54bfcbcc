//! Lists of names: which of them stand twice, and all of them in a text. The sorts of the standard library weigh
//! kilobytes, its `join` one for each type of text; what is here weighs a few hundred bytes.

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

/// The texts with a separator between them.
pub(crate) fn join<T: AsRef<str>>(texts: &[T], separator: &str) -> String {
    let mut joined = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text.as_ref());
    }
    joined
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
