#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh clone to a verified result: installs what is missing, builds the `release` preset,
# and runs a BF16 matrix product 1024 x 1024 x 1024 on all nodes of an emulated D1.
# Its files are afterwards in build/release/quickstart. Arguments are passed to the example:
# tools/quickstart.sh --size 2048 --seed 7 (build/release/bin/d1-example-matmul --help has them all)
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '3,/^set/s/^# //p' "$0" && exit ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/step.sh"
"$here/setup.sh"
cd "$here/.."

# The tests need more packages, so a first configuration leaves them out; tools/test.sh adds them.
options=()
[ -f build/release/CMakeCache.txt ] || options=(-DD1_BUILD_TESTS=OFF)
step "Configuring" cmake --preset release "${options[@]}"
build_release
mkdir -p build/release/quickstart
exec build/release/bin/d1-example-matmul --directory build/release/quickstart "$@"
