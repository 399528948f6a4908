#!/bin/bash
# Builds, fetches real photographs (once), and classifies them with the bundled model.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/build.sh release
echo
pictures=.demo/pictures
if ! python3 tools/demo_pictures.py "$pictures"; then
  pictures=$(find tests/golden/preprocess -name 'j_*.jpg' | sort | head -n 3)
  echo "demo: no package registry can be reached, so there are no photographs to show. Instead:"
  echo "demo: generated test pictures of this repository, which show nothing that the model knows."
fi
echo
echo "\$ build/release/bin/saccade classify -k 3" $pictures
# shellcheck disable=SC2086
build/release/bin/saccade classify -k 3 $pictures
