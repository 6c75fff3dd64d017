#!/bin/sh
# test/fuzz/run.sh SECONDS [NAME...]: builds the fuzzers and runs each for that long. Fails on any
# crash; the input that did it is left in build/fuzz/found, what was learned in build/fuzz/corpus.
set -eu
seconds=${1:?usage: run.sh SECONDS [NAME...]}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
kept=$root/build/fuzz
cd "$root"

run_one() {
  name=$1
  mkdir -p "$kept/corpus/$name" "$kept/found"
  if "build/asan/test/fuzz/${name}_fuzz" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$kept/found/$name-" -dict="test/fuzz/$name.dict" \
    "$kept/corpus/$name" "test/fuzz/corpus/$name" >"$kept/$name.log" 2>&1; then
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/$name.log")
    echo "${name}_fuzz: $executions inputs, no crash"
  else
    echo "${name}_fuzz: FAILED" >&2
    tail -n 40 "$kept/$name.log" >&2
    return 1
  fi
}

if [ "${PERDURE_FUZZERS_BUILT:-}" = yes ]; then
  run_one "$1"
  exit
fi
mkdir -p "$kept"
if ! { cmake --preset asan && ninja -C build/asan fuzzers; } >"$kept/build.log" 2>&1; then
  cat "$kept/build.log" >&2
  exit 1
fi
if [ $# = 0 ]; then set -- sse aws_event_stream provider_answer record_codec json mcp_session http_request schema; fi
# One process a core; xargs fails if one of them does.
printf '%s\n' "$@" | PERDURE_FUZZERS_BUILT=yes xargs -P "$(nproc)" -I '{}' "$0" "$seconds" '{}'
