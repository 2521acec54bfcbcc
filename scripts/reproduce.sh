#!/usr/bin/env bash
# Builds the package of the current commit twice, in places that differ in what must not matter, and compares the two byte
# by byte: the tarball, and with it the module and every file of the package.
set -euo pipefail

commit=$(git rev-parse HEAD)
[ -z "$(git status --porcelain)" ] || echo "reproduce: what is not committed is not built" >&2
root=$(mktemp -d)
trap 'chmod -R u+w "$root"; rm -rf "$root"' EXIT

# build <folder> <home of cargo> <umask> <time zone> <locale> <jobs>
build() {
  git clone --quiet . "$1"
  git -C "$1" checkout --quiet "$commit"
  mkdir -p "$2"
  # What was downloaded already is taken over; its hashes are checked all the same.
  cp -a "${CARGO_HOME:-$HOME/.cargo}/registry" "$2/" 2>/dev/null || true
  (
    umask "$3"
    cd "$1"
    env CARGO_HOME="$2" TZ="$4" LC_ALL="$5" CARGO_BUILD_JOBS="$6" \
      make target/packed/waxseal.tgz >"$root/log" 2>&1 || { tail -20 "$root/log" >&2; exit 1; }
  )
}

one=$root/a
two=$root/another-folder/with/a/much/longer/path
build "$one" "$root/cargo" 022 UTC C 2
build "$two" "$root/another-home/of/cargo" 077 Asia/Kathmandu C.UTF-8 1

hashes() { (cd "$1" && sha256sum target/packed/waxseal.tgz && cd pkg/dist && find . -type f | LC_ALL=C sort | xargs sha256sum); }
if ! diff <(hashes "$one") <(hashes "$two"); then
  echo "reproduce: the two builds of $commit differ" >&2
  exit 1
fi
echo "reproduce: two builds of $commit are the same, byte by byte:"
(cd "$one" && sha256sum target/packed/waxseal.tgz pkg/dist/waxseal.wasm)
