#!/bin/sh
# test/fuzz/run.sh SECONDS: builds the fuzzers and runs each for that long. Fails on any crash; the
# input that did it is left in build/fuzz/found.
set -eu
seconds=${1:?usage: run.sh SECONDS}
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build/fuzz
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 \
  -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_BUILD_TYPE=Dev -DPERDURE_FUZZ=ON \
  -DPERDURE_SANITIZE=address,undefined,fuzzer-no-link >/dev/null
ninja -C "$build" -j2 fuzzers >/dev/null
mkdir -p "$build/found"
failed=0
for name in sse provider_answer record_codec json; do
  mkdir -p "$build/corpus/$name"
  if "$build/test/fuzz/${name}_fuzz" -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="$build/found/$name-" -dict="$root/test/fuzz/$name.dict" \
    "$build/corpus/$name" "$root/test/fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
    echo "${name}_fuzz: $executions inputs, no crash"
  else
    failed=1
    echo "${name}_fuzz: FAILED" >&2
    tail -n 40 "$build/$name.log" >&2
  fi
done
exit $failed
