//! What makes a claims set heavy, told without telling its content.

use super::Object;
use crate::names::join;

/// How many members are named.
const NAMED: usize = 3;
/// A name is shown when it is at most this long and of plain characters: names can be data too, and errors are logged.
const LONGEST_NAME: usize = 48;

impl Object<'_> {
    /// The heaviest members with their sizes in bytes, `roles (812 bytes), …`; empty for an empty object.
    #[must_use]
    pub(crate) fn heaviest(&self) -> String {
        let mut named = [const { None }; NAMED];
        for (name, value) in self.iter() {
            let mut member = Some((name.len() + value.text().len(), name));
            // Kept in descending order; each member pushes lighter ones towards the end and off it.
            for place in &mut named {
                if member.as_ref().map(|(size, _)| size) > place.as_ref().map(|(size, _)| size) {
                    core::mem::swap(place, &mut member);
                }
            }
        }
        let named = named.iter().flatten().map(|(size, name)| format!("{} ({size} bytes)", shown(name)));
        join(&named.collect::<Vec<_>>(), ", ")
    }
}

fn shown(name: &str) -> &str {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
    if plain && (1..=LONGEST_NAME).contains(&name.len()) { name } else { "one whose name is not shown" }
}

#[cfg(test)]
mod tests {
    use super::super::parse_object;

    #[test]
    fn the_heaviest_members_are_named_first_and_their_values_never() {
        let object = parse_object(br#"{"a":1,"bb":"secretsecret","c d":[1,2,3],"d":22,"e":1}"#).unwrap();
        assert_eq!(object.heaviest(), "bb (16 bytes), one whose name is not shown (10 bytes), d (3 bytes)");
        assert_eq!(parse_object(b"{}").unwrap().heaviest(), "");
    }
}
