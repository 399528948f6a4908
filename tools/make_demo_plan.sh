#!/bin/bash
# make_demo_plan.sh [OPTIONS]: compiles assets/vit_cifar10.plan, the model of `make demo` and the
# default of every verb, from the checkpoint beside it; OPTIONS are further ones of
# `saccade compile` (--help). Needs libtorch. To be run when the plan format's version, the compiler
# or the checkpoint changes; the test BundledPlan compares the two.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools/build.sh release saccade saccade-torch
build/release/bin/saccade compile assets/vit_cifar10.safetensors -o assets/vit_cifar10.plan \
  --precision bf16 --no-measure "$@"
