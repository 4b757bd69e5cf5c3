#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch.sh FOLDER: fail2ban's Debian source package, unpacked into FOLDER/source,
# with its annotated sample logs and its filters. Uses apt with a configuration of its own, made
# of the machine's own sources as deb-src: nothing of the machine is changed and
# no root is needed. What is there already is not fetched again.
set -euo pipefail

folder=$(mkdir -p "$1" && cd "$1" && pwd)
[ ! -e "$folder/source/config/filter.d/asterisk.conf" ] || exit 0
command -v apt-get >/dev/null || { echo "fetch: not a Debian system" >&2; exit 77; }

apt=$folder/apt
rm -rf "$apt" "$folder/source"
mkdir -p "$apt"/{lists/partial,cache/archives/partial,download}

# Both forms of sources: one line each, and deb822; Debian's own alone, since
# other archives seldom have fail2ban.
{
  cat /etc/apt/sources.list 2>/dev/null || true
  cat /etc/apt/sources.list.d/*.list 2>/dev/null || true
} | grep -E '^deb(-src)? .*(debian|ubuntu)' | sed -E 's/^deb(-src)? /deb-src /' |
  sort -u >"$apt/sources.list" || true
for file in /etc/apt/sources.list.d/*.sources; do
  [ -e "$file" ] || continue
  grep -qE '^URIs:.*(debian|ubuntu)' "$file" || continue
  sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$apt/$(basename "$file")"
done
mkdir "$apt/parts"
mv "$apt"/*.sources "$apt/parts/" 2>/dev/null || true

options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/parts"
  -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
  -o "Acquire::Retries=3" -o "APT::Sandbox::User=$(id -un)")
cd "$apt/download"

# The source package of the installed version, or of any.
source_package() {
  local version
  apt-get "${options[@]}" update >"$apt/log" 2>&1 || return 1
  version=$(dpkg-query -W -f '${Version}' fail2ban 2>/dev/null || true)
  apt-get "${options[@]}" --download-only source "fail2ban${version:+=$version}" >>"$apt/log" 2>&1 ||
    apt-get "${options[@]}" --download-only source fail2ban >>"$apt/log" 2>&1 || return 1
  mkdir "$folder/unpacked"
  tar -xf fail2ban_*.orig.tar.* -C "$folder/unpacked" --strip-components=1
}

# Some mirrors hold no sources: the binary package brings the same tests and filters.
binary_package() {
  apt-get -q download fail2ban >>"$apt/log" 2>&1 || return 1
  mkdir "$folder/unpacked" tree
  dpkg-deb -x fail2ban_*.deb tree
  cp -r tree/etc/fail2ban "$folder/unpacked/config"
  cp -r tree/usr/lib/python3/dist-packages/fail2ban "$folder/unpacked/fail2ban"
}

rm -rf "$folder/unpacked"
if source_package; then
  echo "fail2ban's source package"
elif binary_package; then
  echo "fail2ban's binary package (the mirror has no source package); it holds the same tests"
else
  tail -n 5 "$apt/log" >&2
  echo "fetch: neither the source nor the binary package of fail2ban could be fetched" >&2
  exit 1
fi
# Two of the tests' own filters include ../../../../../../../config/...: Debian
# runs them three folders further down.
down=$folder/unpacked/.pybuild/py/build/fail2ban/tests
mkdir -p "$down"
cp -r "$folder/unpacked/fail2ban/tests/config" "$down/config"
mv "$folder/unpacked" "$folder/source"
rm -rf "$apt"
