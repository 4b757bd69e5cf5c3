#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch-asterisk.sh: fetch Asterisk 22 for the tests and print its folder.
#
# Debian 12 has no asterisk package; a later suite has one. Its packages are
# downloaded with apt from the mirror that this machine uses already, checked
# by apt against the archive's key, and unpacked into a cache; nothing is
# installed and no root is needed. Asterisk then runs through the unpacked
# tree's own loader and C library, so the machine's own are not touched.
#
#   SIPCHAIN_CACHE   where to keep it (default: $XDG_CACHE_HOME/sipchain)
#   ASTERISK_SUITE   the suite to take it from (default: forky)
set -euo pipefail

suite=${ASTERISK_SUITE:-forky}
cache=${SIPCHAIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/sipchain}
# Without a home that can be written to (a system user): within the project.
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
  cache=$(cd "$(dirname "$0")/../.." && pwd)/build/cache
tree=$cache/asterisk-22
# What the modules that the tests load need; the ones for databases, telephony
# cards, IMAP and the like are in the packages but their libraries are not.
packages=(asterisk asterisk-modules libbsd0 libc6 libcap2 libcrypt1 libedit2
  libgcc-s1 libjansson4 libmd0 libsqlite3-0 libssl3t64 libstdc++6 libsystemd0
  libtinfo6 liburiparser1 libuuid1 libxml2-16 libxslt1.1 libzstd1 zlib1g)

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
if [ -e "$tree/.complete" ]; then
  echo "$tree"
  exit 0
fi

# The mirrors in the machine's own apt sources, in both formats, without the
# security and backports archives, which do not carry whole suites.
mirrors() {
  local files=()
  shopt -s nullglob
  files=(/etc/apt/sources.list.d/*.sources)
  [ ${#files[@]} -eq 0 ] || sed -n 's/^URIs:[[:space:]]*//p' "${files[@]}" | tr -s ' ' '\n'
  files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list)
  shopt -u nullglob
  sed -n 's/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]\+\)\?\([^[:space:]]\+\).*/\2/p' \
    "${files[@]}" 2>/dev/null
}
mapfile -t candidates < <(mirrors | grep -Ev 'security|backports' | awk '!seen[$0]++')
[ ${#candidates[@]} -gt 0 ] || {
  echo "fetch-asterisk: no Debian mirror in /etc/apt/sources.list*" >&2
  exit 1
}

work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,archives/partial,debs,tree,log}
: >"$work/status"

# A mirror that lags is good enough for a test: the signature is what is checked.
apt() {
  apt-get -qq -o Acquire::Check-Valid-Until=false \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
    -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives" \
    -o Dir::Log="$work/log" -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Languages=none -o Acquire::Retries=3 "$@" 9>&-
}

fetch() { # mirror
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $suite main" \
    >"$work/sources.list"
  apt update && (cd "$work/debs" && rm -f -- *.deb && apt download "${packages[@]}")
}

echo "fetching Asterisk 22 ($suite, ${#packages[@]} packages, 50 MB unpacked) ..." >&2
fetched=
for attempt in 1 2 3; do
  for mirror in "${candidates[@]}"; do
    if fetch "$mirror" >"$work/log/apt" 2>&1; then
      fetched=yes
      break 2
    fi
  done
  [ "$attempt" = 3 ] || sleep $((attempt * 2))
done
[ "$fetched" ] || {
  tail -n 5 "$work/log/apt" >&2
  echo "fetch-asterisk: $suite cannot be fetched from this machine's mirror (above)" >&2
  exit 1
}

for deb in "$work"/debs/*.deb; do
  dpkg-deb -x "$deb" "$work/tree"
done
[ -x "$work/tree/usr/sbin/asterisk" ] || {
  echo "fetch-asterisk: the packages hold no asterisk" >&2
  exit 1
}
(cd "$work/debs" && printf '%s\n' *.deb) >"$work/tree/PACKAGES"
touch "$work/tree/.complete"
rm -rf "$tree"
mv "$work/tree" "$tree"
echo "$tree"
