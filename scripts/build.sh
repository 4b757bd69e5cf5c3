#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh KIND [meson options]: configure build/KIND once and build it.
#   release  optimised            test  gcc, address + undefined sanitizers
#   clang    clang, warnings are errors   bench  release with the benchmarks
#   fuzz     clang, libFuzzer and the sanitizers
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?usage: $0 KIND [meson options]}
shift
compiler=${CC:-gcc}
sanitize=-Db_sanitize=address,undefined
case $kind in
release) options=(--buildtype=release) ;;
bench) options=(--buildtype=release -Dbench=true) ;;
test) compiler=gcc options=("$sanitize" -Db_lundef=false) ;;
clang) compiler=clang options=() ;;
fuzz)
  compiler=clang
  options=(-Dfuzz=true "$sanitize" -Db_lundef=false)
  ;;
*)
  echo "$0: no kind '$kind'" >&2
  exit 2
  ;;
esac

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -e "build/$kind/build.ninja" ]; then
  echo "configuring build/$kind ($compiler)"
  CC=$compiler meson setup "build/$kind" "${options[@]}" "$@" >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    exit 1
  }
elif [ $# -gt 0 ]; then
  meson configure "build/$kind" "$@" >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    exit 1
  }
fi
targets=()
if [ "$kind" = fuzz ]; then
  mapfile -t targets < <(ninja -C build/fuzz -t targets all | sed -n 's/^\(tests\/fuzz\/fuzz_[a-z0-9_]*\): .*LINKER.*/\1/p')
  [ ${#targets[@]} -gt 0 ] || { echo "build: no fuzz targets" >&2; exit 1; }
fi
# On a terminal ninja shows its progress in one line; into a pipe only errors.
if [ -t 1 ]; then
  ninja -C "build/$kind" "${targets[@]}"
else
  echo "building build/$kind"
  ninja -C "build/$kind" -k 0 "${targets[@]}" >"$log" 2>&1 </dev/null || {
    grep -v '^\[[0-9]*/[0-9]*\]' "$log" >&2
    exit 1
  }
fi
