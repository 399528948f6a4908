#!/bin/bash
# Builds the benchmarks of bench/ (release preset) and runs each. A benchmark prints the machine,
# the instruction set and what it measured beside which peer; it needs no arguments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
shopt -s nullglob
tools/build.sh release benchmarks
ran=0
for program in build/release/bin/bench_*; do
  echo "== ${program##*/}"
  "$program"
  ran=1
done
[ "$ran" = 1 ] || echo "there is no benchmark in bench/ yet"
