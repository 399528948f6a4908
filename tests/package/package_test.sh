#!/bin/bash
# package_test.sh BUILD SOURCE [TORCH_DIR]: installs the build into a folder of its own, builds
# examples/ against that folder alone, and runs them.
set -euo pipefail
build=$1
source=$2
torch=${3:-}
work=$build/package
rm -rf "$work"
cmake --install "$build" --prefix "$work/installed" >"$work.log"

cmake -S "$source/examples" -B "$work/examples" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$work/installed" ${torch:+"-DTorch_DIR=$torch"} >>"$work.log" 2>&1 ||
  { cat "$work.log" && exit 1; }
cmake --build "$work/examples" >>"$work.log" 2>&1 || { cat "$work.log" && exit 1; }
# The one place named inside it is where libtorch was found, which may be the source folder's .venv.
if grep -rn "$source" "$work/installed/include" "$work/installed/lib/cmake" |
  grep -v "find_package(Torch QUIET PATHS \"$torch\")"; then
  echo "the installed tree points back into the source folder"
  exit 1
fi

fail() {
  echo "$@"
  exit 1
}
header='{"a.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
printf "\\x$(printf %x ${#header})\0\0\0\0\0\0\0%s12345678" "$header" >"$work/two.safetensors"
tensors=$("$work/examples/list_tensors" "$work/two.safetensors")
[ "$tensors" = $'a.weight\tF32\t[1, 2]' ] || fail "list_tensors printed: $tensors"
if "$work/examples/list_tensors" "$source/README.md" 2>/dev/null; then
  fail "list_tensors took a text for a checkpoint"
fi
"$work/installed/bin/saccade" inspect "$work/two.safetensors" >/dev/null ||
  fail "the installed program cannot inspect a file"
if [ -n "$torch" ]; then
  model=$source/assets/vit_cifar10.safetensors
  picture=$(find "$source/tests/golden/preprocess" -name 'j_*.jpg' | sort | head -n 1)
  answer=$("$work/examples/classify" "$model" "$picture")
  [[ $answer == *0.* ]] || fail "classify printed no probability: $answer"
fi
echo "installed, built and ran the examples"
