#!/usr/bin/env bash
# Installs Chromium for the browser tests where that is possible without asking; elsewhere says how.
set -eu

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
packages="chromium"
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  apt-get update -qq </dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages </dev/null >/dev/null
else
  echo "Chromium is missing, so the browser tests are skipped. To have them: sudo apt-get install -y --no-install-recommends $packages"
fi
