#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh: formatting, layering, static analysis, scripts. Says what is wrong
# where and leaves with 1; runs every check even when an earlier one fails.
# With --fix it formats the sources instead of complaining about them.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
shopt -s globstar nullglob

layout=(--dry-run --Werror)
[ "${1:-}" != --fix ] || layout=(-i)
failed=()
check() { # name, command...
  local name=$1
  shift
  echo "lint: $name"
  "$@" || failed+=("$name")
}

sources=(src/**/*.[ch] tests/**/*.[ch] bench/**/*.[ch])
scripts=(scripts/*.sh tests/**/*.sh .ci/run)

no_spdx() {
  local f found=0
  for f in "${sources[@]}" "${scripts[@]}" **/*.py **/meson.build Makefile; do
    case $f in build/*) continue ;; esac
    head -n 2 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
      { echo "$f:1: no SPDX line" && found=1; }
  done
  return $found
}

format() {
  clang-format "${layout[@]}" "${sources[@]}"
}

tidy_these() { # file... -- option...
  local files=()
  while [ "$1" != -- ]; do
    files+=("$1")
    shift
  done
  shift
  printf '%s\n' "${files[@]}" | grep -Ev '^tests/fuzz/fuzz_|^src/base/error.c$' |
    xargs -P "$(nproc)" -n 4 clang-tidy -p build/clang --quiet "$@" \
      --extra-arg=-include --extra-arg="$PWD/scripts/analyzer.h" \
      --extra-arg=-I"$PWD/src" 2>/dev/null
}

tidy() {
  local found=0
  # The clang build has the right flags for every file.
  scripts/build.sh clang || return 1
  tidy_these src/**/*.c -- || found=1
  # The analyzer follows paths, which takes nine tenths of the time; what it would find
  # in the tests, running them under the sanitizers finds.
  tidy_these tests/**/*.c -- '--checks=-clang-analyzer-*' || found=1
  return $found
}

check "SPDX lines" no_spdx
check "layers" scripts/layers.py
check "clang-format" format
check "shellcheck" shellcheck "${scripts[@]}"
check "clang-tidy (minutes on a cold start)" tidy

if [ ${#failed[@]} -gt 0 ]; then
  printf 'lint: failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "lint: clean"
