#!/usr/bin/env bash
# Changes the core in one place at a time and runs its tests, which ought to fail: the areas that are named, or all of them. What no
# test of an area notices is tried once more with every test of the core. docs/mutants.md explains what survives.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo mutants --version >/dev/null 2>&1 || cargo install cargo-mutants --version 27.1.0 --locked --debug

# Area, its directories, and the tests that notice most: what they do not goes to all of them.
areas=(
  "verification|jws|jws warm"
  "claims|jwt|jwt policy issue explain revoke"
  "cookies|cookie|cookies session_cookies"
  "requests|request|requests"
  "revocation|revocation|revocation revoke"
  "rotation|session|session_rotate session_flow session_login session_faults session_record session_tokens session_gate"
)
table=$(printf '%-14s %8s %10s' area mutants unnoticed)
export PROPTEST_CASES=${PROPTEST_CASES:-64}
for area in "${areas[@]}"; do
  IFS='|' read -r name directories tests <<<"$area"
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  files=() only=()
  for directory in $directories; do files+=(--file "src/$directory/**"); done
  for test in $tests; do only+=(--cargo-arg "--test=$test"); done
  # shellcheck disable=SC2206
  run=(cargo mutants --package waxseal "${files[@]}" --baseline skip --timeout 20 --no-shuffle --colors never
    --output "target/mutants-$name" ${MUTANTS_ARGS:-})
  # It ends with 2 if something was missed, and with 3 if something went on for ever, which is noticed as well.
  "${run[@]}" "${only[@]}" || [[ $? =~ [23] ]]
  "${run[@]}" --iterate --cargo-arg=--tests || [[ $? =~ [23] ]]
  out=target/mutants-$name/mutants.out
  table+=$'\n'$(printf '%-14s %8s %10s' "$name" "$(cargo mutants --list --package waxseal "${files[@]}" | wc -l)" \
    "$(wc -l <"$out/missed.txt")")
  cat "$out/missed.txt"
done
printf '\n%s\n' "$table"
