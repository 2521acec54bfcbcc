#!/usr/bin/env bash
# Every check that does not run the library. It goes on after a failure, so that one run shows all of them.
set -u
PATH="$PWD/node_modules/.bin:$PATH"

target=wasm32-unknown-unknown
failed=()

check() {
  local name=$1
  shift
  echo "# $name: $*"
  "$@" </dev/null || failed+=("$name")
}

types() {
  local status=0
  for config in $(git ls-files -- tsconfig.json '*/tsconfig.json'); do
    tsc --noEmit -p "$config" || status=1
  done
  return $status
}

check "Rust format" cargo fmt --all --check
check "Rust format of fuzz targets" cargo fmt --manifest-path fuzz/Cargo.toml --check
check "Rust format of examples" cargo fmt --manifest-path examples/rust/Cargo.toml --all --check
check "Rust lints" cargo clippy --quiet --workspace --all-targets -- -Dwarnings
check "Rust lints for the bindings and SIMD" env CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128" \
  cargo clippy --quiet --package waxseal --package waxseal-arithmetic --package waxseal-scan --lib --target $target \
  --features waxseal/proof --target-dir target/lint -- -Dwarnings
# The crates must also build for a Rust Worker, which wants no JavaScript bindings and may have no SIMD.
check "Rust lints without the bindings" cargo clippy --quiet --package waxseal --package waxseal-arithmetic --package waxseal-scan --lib --target $target -- -Dwarnings
check "Rust documentation" env RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --no-deps --package waxseal --package waxseal-arithmetic --package waxseal-scan
check "error codes" cargo xtask codes --check
check "dependencies" node scripts/run.mjs scripts/supply.ts
check "format" prettier --check --log-level warn .
check "types" types
check "documentation of exported names" node scripts/run.mjs scripts/reference.ts
check "package manifest" publint run target/packed/node_modules/waxseal --strict
# What is for Workers alone is an ES module alone: no host of CommonJS can import a .wasm file or a Durable Object.
check "package types" attw target/packed/waxseal.tgz --profile node16 --format ascii \
  --exclude-entrypoints workerd stores/durable-object waxseal.wasm package.json

if [ ${#failed[@]} -gt 0 ]; then
  printf 'lint: failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "lint: all checks passed"
