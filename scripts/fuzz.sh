#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh BUILD SECONDS: run every fuzz target of BUILD, each for SECONDS.
# What they find stays in BUILD/corpus and BUILD/crashes, the seeds untouched.
set -euo pipefail
build=$(readlink -f "$1")
seconds=$2
cd "$(dirname "$0")/.."

shopt -s nullglob
targets=("$build"/tests/fuzz/fuzz_*)
failed=()
count=0
mkdir -p "$build/crashes"
for target in "${targets[@]}"; do
  if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
  name=$(basename "$target")
  count=$((count + 1))
  mkdir -p "$build/corpus/$name"
  echo "fuzzing $name for $seconds s"
  if "$target" -max_total_time="$seconds" -print_final_stats=1 -rss_limit_mb=2048 -timeout=5 \
      -artifact_prefix="$build/crashes/$name-" "$build/corpus/$name" \
      "tests/fuzz/corpus/${name#fuzz_}" >"$build/$name.log" 2>&1 </dev/null; then
    grep -h 'number_of_executed_units' "$build/$name.log" || true
  else
    failed+=("$name")
    tail -n 30 "$build/$name.log"
  fi
done
[ "$count" -gt 0 ] || { echo "fuzz: no targets in $build" >&2; exit 1; }
echo "$count targets, ${#failed[@]} failed${failed[*]:+: ${failed[*]}}"
[ ${#failed[@]} -eq 0 ]
