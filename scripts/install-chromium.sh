#!/usr/bin/env bash
# Installs Chromium for the browser tests where that is possible without asking; elsewhere says how.
set -eu

# The places where tests/js/harness/chromium.ts looks.
for file in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
  if [ -x "$file" ]; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing Chromium"
  apt-get update -qq </dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium </dev/null >/dev/null
else
  echo "Chromium is missing: the tests that need it are skipped. To run them, install it:"
  echo "  sudo apt-get install -y --no-install-recommends chromium"
fi
