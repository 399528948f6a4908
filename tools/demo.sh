#!/bin/bash
# Builds the program that needs no libtorch, fetches real photographs (once), and classifies them
# with the bundled plan.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
started=$SECONDS
tools/setup.sh demo
tools/build.sh lean saccade
echo
pictures=.demo/pictures
if ! python3 tools/demo_pictures.py "$pictures"; then
  pictures=$(find tests/golden/preprocess -name 'j_*.jpg' | sort | head -n 3)
  echo "demo: no package registry can be reached, so there are no photographs to show. Instead:"
  echo "demo: generated test pictures of this repository, which show nothing that the model knows."
fi
echo
command="build/lean/bin/saccade classify -m assets/vit_cifar10.plan -k 3"
echo "\$ $command" $pictures
# shellcheck disable=SC2086
$command $pictures
cat <<END

First answer $((SECONDS - started)) s after the start. The model sees 32x32 pixels of ten classes.
Next:
  build/lean/bin/saccade classify YOUR.jpg              your own pictures
  build/lean/bin/saccade bench assets/vit_cifar10.plan  how fast it is here, operator by operator
  build/lean/bin/saccade models                         the zoo
  make build                                            everything, with libtorch: run checkpoints,
                                                        compile them to plans, train
END
