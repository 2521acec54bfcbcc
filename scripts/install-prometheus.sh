#!/usr/bin/env bash
# Puts Prometheus and promtool where the tests of the alert rules look, where that is possible without asking; elsewhere
# says how. Unpacked and not installed: Debian's package starts a service, and the tests need two programs.
set -euo pipefail

# The places where tests/js/e2e/prometheus.ts looks.
for directory in "${PROMETHEUS:-}" target/prometheus/usr/bin /usr/bin /usr/local/bin; do
  if [ -x "$directory/prometheus" ] && [ -x "$directory/promtool" ]; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "fetching Prometheus"
  download=$(mktemp -d)
  trap 'rm -rf "$download"' EXIT
  # The user as whom apt-get downloads must be able to write there.
  chown _apt "$download" 2>/dev/null || true
  apt-get update -qq </dev/null
  (cd "$download" && apt-get download -qq prometheus </dev/null)
  mkdir -p target/prometheus
  dpkg-deb --fsys-tarfile "$download"/prometheus_*.deb |
    tar -x -C target/prometheus ./usr/bin/prometheus ./usr/bin/promtool
else
  echo "Prometheus is missing: the tests that need it are skipped. To run them, install it:"
  echo "  sudo apt-get install -y --no-install-recommends prometheus"
fi
