#!/bin/bash
# package_test.sh BUILD SOURCE [TORCH_DIR]: installs the build into a folder of its own and moves
# that elsewhere, as packages do. Then, against the moved tree alone: the sizes, what the libraries
# show, examples/, projects that ask for one component, the guide's snippets, pkg-config; everything
# that was built is run on the bundled plan.
set -euo pipefail
build=$1
source=$2
torch=${3:-}
here=$(dirname "${BASH_SOURCE[0]}")
work=$build/package
installed=$work/moved/saccade
plan=$installed/share/saccade/assets/vit_cifar10.plan
picture=$(find "$source/tests/golden/preprocess" -name 'j_*.jpg' | sort | head -n 1)
log=$work/log.txt
largest_lean=5000000 # bytes: program and shared library, stripped

fail() {
  echo "$@"
  exit 1
}
logged() { "$@" >>"$log" 2>&1 || { cat "$log" && fail "failed: $*"; }; }

# configure FOLDER NAME OPTIONS...: prints nothing; what cmake said is in NAME.txt.
configure() {
  cmake -S "$1" -B "$work/$2" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$installed" "${@:3}" >"$work/$2.txt" 2>&1
}
build_project() {
  configure "$@" || { cat "$work/$2.txt" && fail "$2 cannot be configured"; }
  logged cmake --build "$work/$2"
}

install_and_move() {
  rm -rf "$work"
  mkdir -p "$work/moved"
  : >"$log"
  logged cmake --install "$build" --prefix "$work/first" --strip
  mv "$work/first" "$installed"
  # The one place named inside it is where libtorch was found, which may be the source's .venv.
  if grep -rn -e "$source" -e "$work/first" "$installed"/include "$installed"/lib*/*/ |
    grep -v "find_package(Torch QUIET PATHS \"$torch\")"; then
    fail "the installed tree points back to where it came from"
  fi
}

check_libraries() {
  local library size shown declared
  library=$(find "$installed" -name 'libsaccade_runtime.so' | grep .) || fail "no shared library"
  shown=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort)
  declared=$(sed -n 's/^SACCADE_EXPORT .*\(saccade_[a-z_]*\)(.*/\1/p' \
    "$installed/include/saccade/runtime/saccade.h" | sort)
  [ "$shown" = "$declared" ] || fail "the library shows other than saccade.h:" \
    "$(diff <(echo "$shown") <(echo "$declared"))"
  size=$(($(stat -c %s "$installed/bin/saccade") + $(stat -Lc %s "$library")))
  echo "saccade and libsaccade_runtime.so, stripped: $size bytes"
  [ "$size" -le "$largest_lean" ] || fail "that is more than $largest_lean"
  if ldd "$installed/bin/saccade" "$library" | grep -i torch; then fail "libtorch is linked"; fi
}

# The tensor of the picture as raw fp32, twice: what run_plan and serve_plan take.
write_pictures() {
  local saccade=$installed/bin/saccade
  "$saccade" preprocess "$picture" -m "$plan" -o "$work/one.safetensors" >/dev/null
  tail -c $((3 * 32 * 32 * 4)) "$work/one.safetensors" >"$work/one.f32"
  cat "$work/one.f32" "$work/one.f32" >"$work/two.f32"
  label=$("$saccade" classify -m "$plan" -k 1 --json "$picture" |
    sed -n 's/.*"label": *"\([^"]*\)".*/\1/p')
  [ -n "$label" ] || fail "classify --json names no label"
}

# check_answers PROGRAM...: two lines, each beginning with the label that `saccade classify` gives.
check_answers() {
  local answers
  answers=$("$@") || fail "failed: $*"
  [ "$(cut -f 1 <<<"$answers")" = "$label"$'\n'"$label" ] || fail "$* printed: $answers"
}

run_examples() {
  build_project "$source/examples" examples ${torch:+"-DTorch_DIR=$torch"}
  local header='{"a.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}' answer
  printf "\\x$(printf %x ${#header})\0\0\0\0\0\0\0%s12345678" "$header" >"$work/two.safetensors"
  answer=$("$work/examples/list_tensors" "$work/two.safetensors")
  [ "$answer" = $'a.weight\tF32\t[1, 2]' ] || fail "list_tensors printed: $answer"
  if "$work/examples/list_tensors" "$source/README.md" 2>/dev/null; then
    fail "list_tensors took a text for a checkpoint"
  fi
  "$installed/bin/saccade" inspect "$work/two.safetensors" >/dev/null ||
    fail "the installed program cannot inspect a file"
  check_answers "$work/examples/run_plan" "$plan" "$work/two.f32"
  check_answers "$work/examples/serve_plan" "$plan" 2 <"$work/two.f32"
  if "$work/examples/serve_plan" "$source/README.md" 2>/dev/null </dev/null; then
    fail "serve_plan took a text for a plan"
  fi
  if [ -n "$torch" ]; then
    answer=$("$work/examples/classify" "$source/assets/vit_cifar10.safetensors" "$picture")
    [[ $answer == *0.* ]] || fail "classify printed no probability: $answer"
  fi
}

# Each project asks for one component and sees only what that needs.
run_components() {
  build_project "$here/runtime" runtime -DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON \
    -DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON \
    "-DGUIDE=$source/docs/guide/library.md" "-DEXAMPLES=$source/examples"
  check_answers "$work/runtime/run_plan" "$plan" "$work/two.f32"
  [ "$("$work/runtime/guide" "$plan")" = "10 classes" ] || fail "the guide's C++ snippet fails"
  build_project "$here/c_only" c_only -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON \
    -DCMAKE_DISABLE_FIND_PACKAGE_hwy=ON "-DGUIDE=$source/docs/guide/library.md" \
    "-DEXAMPLES=$source/examples"
  check_answers "$work/c_only/serve_plan" "$plan" <"$work/two.f32"
  [ "$("$work/c_only/guide" "$plan")" = "10 classes" ] || fail "the guide's C snippet fails"
  if [ -z "$torch" ]; then
    if configure "$here/models" models; then fail "Models was found without libtorch"; fi
    tr -s '\n ' ' ' <"$work/models.txt" | grep -q "built without libtorch .*make install" ||
      fail "$(cat "$work/models.txt")"
  fi
}

run_pkg_config() {
  command -v pkg-config >/dev/null || { echo "pkg-config is not there: not tested" && return; }
  local folder
  folder=$(dirname "$(find "$installed" -name saccade.pc)")
  # shellcheck disable=SC2046
  "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror "$source/examples/serve_plan.c" \
    $(PKG_CONFIG_PATH=$folder pkg-config --cflags --libs saccade) -o "$work/serve_plan_pc"
  LD_LIBRARY_PATH=$(dirname "$folder") check_answers "$work/serve_plan_pc" "$plan" <"$work/two.f32"
}

install_and_move
check_libraries
write_pictures
run_examples
run_components
run_pkg_config
echo "installed, moved, built and ran the examples"
