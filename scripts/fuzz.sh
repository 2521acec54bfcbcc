#!/usr/bin/env bash
# Runs each fuzz target for FUZZ_SECONDS (60), or those that are named, and ends with a table. A target that finds something
# does not keep the others from running; the input is in fuzz/artifacts/, and belongs into fuzz/regressions/ once it is mended.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}

rustup toolchain list | grep '^nightly' >/dev/null || rustup toolchain install nightly --profile minimal
cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked --debug

host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
cargo run --quiet --locked --package waxseal-fuzz-bodies --example seeds fuzz/corpus
# No code is unsafe: a sanitizer finds nothing that a panic does not.
cargo +nightly fuzz build --sanitizer none

status=0
table=$(printf '%-10s %12s %10s %8s %9s' target executions per-second corpus findings)
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target" target/fuzz
  before=$(find "fuzz/artifacts/$target" -type f | wc -l)
  log=target/fuzz/$target.log
  echo "# fuzz: $target for $seconds s"
  "fuzz/target/$host/release/$target" -max_total_time="$seconds" -print_final_stats=1 -timeout=30 -rss_limit_mb=2048 \
    -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" >"$log" 2>&1 || {
    status=1
    tail -n 30 "$log"
  }
  stat() { sed -n "s/^stat::$1: *//p" "$log"; }
  found=$(($(find "fuzz/artifacts/$target" -type f | wc -l) - before))
  table+=$'\n'$(printf '%-10s %12s %10s %8s %9s' "$target" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)" \
    "$(find "fuzz/corpus/$target" -type f | wc -l)" "$found")
done
printf '\n%s\n' "$table"
exit $status
