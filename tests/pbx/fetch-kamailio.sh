#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch-kamailio.sh: fetch Kamailio 5.6 and rsyslog for the tests, print their folder.
#
# Installed, Debian's packages would start a SIP server and a syslog daemon on this
# machine. So they are downloaded with apt from the mirror that this machine uses
# already, checked by apt against the archive's key, and unpacked into a cache;
# nothing is installed and no root is needed. They run with this machine's C
# library: it must be Debian 12's.
#
#   SIPCHAIN_CACHE   where to keep it (default: $XDG_CACHE_HOME/sipchain)
set -euo pipefail

suite=bookworm
cache=${SIPCHAIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/sipchain}
# Without a home that can be written to (a system user): within the project.
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
  cache=$(cd "$(dirname "$0")/../.." && pwd)/build/cache
tree=$cache/kamailio-5.6
packages=(kamailio libestr0 libfastjson4 liblognorm5 rsyslog)

mkdir -p "$cache"
exec 9>"$cache/.lock-kamailio"
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
  echo "fetch-kamailio: no Debian mirror in /etc/apt/sources.list*" >&2
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

echo "fetching Kamailio 5.6 ($suite, ${#packages[@]} packages, 50 MB unpacked) ..." >&2
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
  echo "fetch-kamailio: $suite cannot be fetched from this machine's mirror (above)" >&2
  exit 1
}

for deb in "$work"/debs/*.deb; do
  dpkg-deb -x "$deb" "$work/tree"
done
if ! [ -x "$work/tree/usr/sbin/kamailio" ] || ! [ -x "$work/tree/usr/sbin/rsyslogd" ]; then
  echo "fetch-kamailio: the packages hold no kamailio or no rsyslogd" >&2
  exit 1
fi
(cd "$work/debs" && printf '%s\n' *.deb) >"$work/tree/PACKAGES"
touch "$work/tree/.complete"
rm -rf "$tree"
mv "$work/tree" "$tree"
echo "$tree"
