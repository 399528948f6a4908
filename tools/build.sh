#!/bin/bash
# tools/build.sh PRESET [TARGET...]: sets the machine up, configures the preset, builds.
# JOBS says how many compilers run at once (default: the cores, one for each 2 GiB of free memory).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:?usage: tools/build.sh PRESET [TARGET...]}
shift

case "$preset" in
  release | dev)
    torch=$(tools/setup.sh full)
    export CMAKE_PREFIX_PATH="$torch${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}"
    ;;
  *) tools/setup.sh lean ;;
esac

default_jobs() {
  local memory cores
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 2097152) }' /proc/meminfo)
  ((memory < 1)) && memory=1
  echo $((memory < cores ? memory : cores))
}

log="build/$preset/configure.log"
mkdir -p "build/$preset"
echo "configuring preset '$preset' (log: $log)"
cmake --preset "$preset" >"$log" 2>&1 || {
  cat "$log" >&2
  echo "configuring failed; the output above is also in $log" >&2
  exit 1
}
started=$SECONDS
targets=()
[ $# -gt 0 ] && targets=(--target "$@")
cmake --build "build/$preset" --parallel "${JOBS:-$(default_jobs)}" "${targets[@]}"
echo "built build/$preset/bin in $((SECONDS - started)) s"
