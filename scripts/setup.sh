#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup.sh GROUP...: install the Debian packages that these groups lack.
# Groups: build, test, demo, accuracy, chain, bench, lint. Asks nothing; says what it
# installs and why; when nothing is missing it only looks (one dpkg-query).
set -euo pipefail

# group, package, what for. One line a package, so that a reader can judge it.
packages() {
  cat <<'TABLE'
build  gcc                  C compiler
build  libc6-dev            C library headers
build  pkg-config           finds the libraries
build  meson                build system
build  ninja-build          runs the build
build  libuv1-dev           event loop of every role
build  libsqlite3-dev       local ledger and the node's store
build  libjansson-dev       JSON of the control socket and of security.json
build  libmnl-dev           netlink, to nftables
build  libsecp256k1-dev     members' signatures
build  nettle-dev           Keccak permutation
build  libinih-dev          configuration files
build  libpcre2-dev         expressions of fail2ban's filters
build  libmicrohttpd-dev    the HTTP API
build  libcurl4-openssl-dev  JSON-RPC over HTTP(S)
build  libwslay-dev         WebSocket frames
build  libssl-dev           keystore files
test   libcmocka-dev        unit tests
test   curl                 the README's API
test   openssl              a certificate for the API
test   clang                second compiler
test   python3              the integration harness
test   iproute2             network namespaces
test   nftables             reads the rules that the node wrote
test   util-linux           unshare, nsenter
test   sipvicious           svmap, svwar and svcrack, at the honeypot
test   fail2ban             its filters, and what runs beside us with our action
test   systemd-journal-remote  writes the journals that are read
demo   python3              the harness
demo   iproute2             network namespaces
demo   nftables             reads the rules that the node wrote
demo   util-linux           unshare, nsenter
demo   sip-tester           sipp, the attacking SIP client
demo   debian-archive-keyring  checks the Asterisk packages' signatures
chain  python3              the chains' harness
chain  nodejs               compiles the contract
chain  npm                  brings the development chain and the contract's tools
chain  python3-venv         brings Go, which builds the chains' engines
accuracy  python3           compares with the truth
accuracy  fail2ban          the yardstick
bench  wrk                  asks the HTTP API as often as it can
bench  fail2ban             the yardstick
bench  python3-pyinotify    its fastest way to watch a log
bench  pcre2-utils          pcre2grep, the limit of a log's filter
bench  python3              drives the benchmarks
bench  iproute2             network namespaces
bench  nftables             the other yardstick
lint   clang                compiler of the fuzz targets
lint   clang-format         layout of the sources
lint   clang-tidy           static analysis
lint   libclang-rt-14-dev   libFuzzer and the sanitizers of clang
lint   shellcheck           the scripts
TABLE
}

# Of the chain group: what is there already, though not by this package.
at_hand() { # package
  case $1 in
  nodejs) command -v node ;;
  npm) command -v npm ;;
  python3-venv) command -v go || python3 -c 'import ensurepip, venv' ;;
  *) return 1 ;;
  esac >/dev/null 2>&1
}

[ $# -gt 0 ] || { echo "usage: $0 GROUP... (build test demo accuracy chain bench lint)" >&2; exit 2; }

declare -A why=()
for group in "$@"; do
  found=
  while read -r g package reason; do
    [ "$g" = "$group" ] || continue
    found=yes
    [ "$g" != chain ] || ! at_hand "$package" || continue
    why[$package]=${why[$package]:-$reason}
  done < <(packages)
  [ -n "$found" ] || { echo "$0: no group '$group'" >&2; exit 2; }
done

[ ${#why[@]} -gt 0 ] || exit 0 # all at hand

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: not a Debian system, nothing is installed; this needs:" "${!why[@]}" >&2
  exit 0
fi

# dpkg-query exits 1 when it does not know one of them, which is an answer too.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${!why[@]}" 2>/dev/null || true)
missing=()
for package in "${!why[@]}"; do
  grep -qxF "installed $package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort)

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "setup: these packages need root, and sudo is not there or wants a password." >&2
    echo "setup: run once:  apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

for package in "${missing[@]}"; do
  echo "setup: installing $package (${why[$package]})"
done

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists may be old or absent: only a failure makes them worth fetching.
if ! apt install --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
  echo "setup: fetching the package lists"
  { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed (above); is the mirror reachable?" >&2
    exit 1
  }
fi
echo "setup: ${#missing[@]} packages installed"
