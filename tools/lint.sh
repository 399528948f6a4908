#!/bin/bash
# The list checks, clang-format on every file, clang-tidy on the files without libtorch (51 s each
# with it) that differ from BASE.
#   tools/lint.sh              everything; BASE defaults to main
#   tools/lint.sh --lists      only the list checks: seconds, no build, nothing to install
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
for check in tools/check_*.py; do
  python3 "$check" || failed=1
done
if [ "${1:-}" = --lists ]; then
  exit "$failed"
fi

tools/setup.sh lint
if ! git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format --dry-run --Werror; then
  echo "lint: some files are not formatted; clang-format -i FILE..." >&2
  failed=1
fi

# lean_files_since BASE: the files of the lean build that differ from it.
lean_files_since() {
  git diff --name-only --diff-filter=d "$1" -- '*.cpp' | python3 -c '
import json, os, sys
rows = json.load(open("build/lean/compile_commands.json"))
built = {os.path.relpath(row["file"]) for row in rows}
print(*[name for name in sys.stdin.read().split("\n") if name in built], sep="\n")'
}
base=${BASE:-$(git merge-base main HEAD)}
tools/setup.sh lean
cmake --preset lean >/dev/null
mapfile -t files < <(lean_files_since "$base" | grep .)
if [ "${#files[@]}" -gt 0 ]; then
  echo "lint: clang-tidy on ${#files[@]} files that differ from $(git rev-parse --short "$base")"
  printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "${JOBS:-$(nproc)}" clang-tidy --quiet -p build/lean || failed=1
fi
if [ "$failed" = 0 ]; then echo "lint: clean"; fi
exit "$failed"
