#!/usr/bin/env bash
# Puts the bundlers and runtimes of tests/packaging where its tests look for them. They are no development dependencies: they
# take 900 MB, and npm has some of them for some platforms alone.
set -euo pipefail

tools=tests/packaging/tools
stamp=$tools/node_modules/.stamp
if [ ! -e "$stamp" ] || [ "$tools/package-lock.json" -nt "$stamp" ]; then
  echo "installing bundlers and runtimes for the tests of the package"
  if npm ci --prefix "$tools" --no-audit --no-fund --loglevel=error; then
    touch "$stamp"
  else
    echo "Some of them cannot be had here: their tests are skipped by name."
  fi
fi
