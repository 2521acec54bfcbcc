//! Waxseal's build tools.

fn main() {}
