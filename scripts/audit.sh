#!/usr/bin/env bash
# Licences, sources and bans of the crates (deny.toml), and known weaknesses where their list can be fetched.
set -euo pipefail
version=0.20.2

cargo deny --version 2>/dev/null | grep -qF " $version" || cargo install cargo-deny --version "$version" --locked --debug

for manifest in Cargo.toml fuzz/Cargo.toml examples/rust/Cargo.toml; do
  echo "audit: $manifest"
  cargo deny --locked --offline --config deny.toml --manifest-path "$manifest" check --allow license-exception-not-encountered licenses sources
done
# Duplicates are asked of what is compiled into the module alone.
echo "audit: the module"
cargo deny --locked --offline --exclude-dev --exclude xtask --exclude waxseal-model --exclude waxseal-fuzz-bodies check bans

if cargo deny fetch db >/dev/null 2>&1; then
  cargo deny --locked check advisories
else
  echo "audit: advisories were not checked, for their list cannot be fetched from here"
fi
