# SPDX-License-Identifier: Apache-2.0
# For the scripts in this folder: step TEXT COMMAND... runs a command without its output. On a
# terminal the line shows the seconds passed; a failure shows the end of the command's output.
step() {
  local text=$1 log status=0 started=$SECONDS process
  shift
  log=$(mktemp)
  if [ -t 1 ]; then
    "$@" >"$log" 2>&1 </dev/null &
    process=$!
    while kill -0 "$process" 2>/dev/null; do
      printf '\r%s ... %d s ' "$text" $((SECONDS - started))
      sleep 0.5
    done
    wait "$process" || status=$?
    printf '\r%s: %d s    \n' "$text" $((SECONDS - started))
  else
    "$@" >"$log" 2>&1 </dev/null || status=$?
    printf '%s: %d s\n' "$text" $((SECONDS - started))
  fi
  if [ "$status" -ne 0 ]; then
    tail -n 40 "$log" >&2
    echo "error: '$*' ended with status $status" >&2
  fi
  rm -f "$log"
  return "$status"
}

# build_release: ninja's own counter on a terminal, one line elsewhere.
build_release() {
  if [ -t 1 ]; then
    NINJA_STATUS='[%f/%t, %e s] ' cmake --build --preset release
  else
    step "Building" cmake --build --preset release
  fi
}
