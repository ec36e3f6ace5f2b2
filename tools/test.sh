#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds the `release` preset and runs every test that belongs in CI
# (all but the labels bench and long). Arguments are passed to ctest: tools/test.sh -R driver
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '3,/^set/s/^# //p' "$0" && exit ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/step.sh"
"$here/setup.sh" --tests
cd "$here/.."
step "Configuring" cmake --preset release -DD1_BUILD_TESTS=ON
build_release
exec ctest --preset ci "$@"
