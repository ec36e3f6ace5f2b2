#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of tools/packages.txt that are missing.
#   tools/setup.sh            what building and running needs
#   tools/setup.sh --tests    and what the tests need
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/step.sh"

sections="build"
case "${1:-}" in
  "") ;;
  --tests) sections="build tests" ;;
  *) echo "usage: tools/setup.sh [--tests]" >&2; exit 2 ;;
esac

wanted=$(awk -v sections=" $sections " '
  { sub(/#.*/, ""); gsub(/[ \t]+/, "") }
  /^\[.*\]$/ { take = index(sections, " " substr($0, 2, length($0) - 2) " ") > 0; next }
  $0 != "" && take { print }' "$here/packages.txt")

missing_packages() {
  local package
  for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
  done
}

if ! command -v dpkg-query >/dev/null; then
  echo "error: this is no Debian system; install what tools/packages.txt names by other means" >&2
  exit 1
fi
missing=$(missing_packages)
[ -n "$missing" ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "error: packages are missing, and installing needs root or sudo:" $missing >&2
    exit 1
  fi
  # Asks for the password here, where the question can be seen.
  sudo -v
  root=(sudo)
fi
apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y
  -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
step "Reading the package lists" "${apt[@]}" update
step "Installing $(wc -w <<<"$missing") packages" \
  "${apt[@]}" install --no-install-recommends $missing
still=$(missing_packages)
if [ -n "$still" ]; then
  echo "error: not installed:" $still >&2
  exit 1
fi
