#!/bin/bash
# Builds the release preset and runs every test. Golden cases beside the repository are used where
# SACCADE_SHARED names their folder, or ../shared is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${SACCADE_SHARED:-}" ] && [ -d ../shared/golden ]; then
  SACCADE_SHARED=$(cd ../shared && pwd)
  export SACCADE_SHARED
fi
tools/build.sh release
ctest --test-dir build/release --output-on-failure --no-tests=error --parallel "${JOBS:-$(nproc)}"
