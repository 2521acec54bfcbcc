#!/usr/bin/env bash
# Puts bundlers, runtimes and frameworks where the tests that need them look for them. They are no development dependencies: they
# take 950 MB, and npm has some of them for some platforms alone.
set -euo pipefail

install() {
  local directory=$1 what=$2
  local stamp=$directory/node_modules/.stamp
  if [ -e "$stamp" ] && [ ! "$directory/package-lock.json" -nt "$stamp" ]; then return; fi
  echo "installing $what"
  if npm ci --prefix "$directory" --no-audit --no-fund --loglevel=error; then
    touch "$stamp"
  else
    echo "Some of them cannot be had here: their tests are skipped by name."
  fi
}

install tests/packaging/tools "bundlers, runtimes and SvelteKit for the tests of the package"

# Next.js and Astro are wanted for their declarations alone, which are 25 MB of 300.
types=tests/packaging/types
install $types "the types of Next.js and Astro"
if [ -e $types/node_modules/.stamp ]; then
  find $types/node_modules -type f ! -name '*.d.ts' ! -name '*.d.mts' ! -name '*.d.cts' \
    ! -name package.json ! -path '*/tsconfigs/*' ! -name .stamp -delete
fi
