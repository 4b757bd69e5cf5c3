#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The layering check finds what it is there for, and nothing else.
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/base" "$tree/sense" "$tree/daemon"

echo '#include "base/a.h"' >"$tree/sense/s.h"
printf '#include "base/a.h"\n#include "sense/s.h"\n' >"$tree/daemon/d.c"
echo 'int a;' >"$tree/base/a.h"
scripts/layers.py "$tree"

expect() { # text that the check must print, while it fails
  local out
  if out=$(scripts/layers.py "$tree"); then
    echo "layers.py passed a tree with: $1" >&2
    exit 1
  fi
  grep -qF "$1" <<<"$out" || { echo "layers.py said: $out" >&2; exit 1; }
}

echo '#include "sense/s.h"' >"$tree/base/b.c"
expect "base/b.c:1: base includes sense/s.h, which stands below it"
rm "$tree/base/b.c"
echo '#include "a.h"' >"$tree/base/b.c"
expect 'base/b.c:1: "a.h": name it from src/'
rm "$tree/base/b.c"
mkdir "$tree/utils"
touch "$tree/utils/u.c"
expect "utils/u.c:1: folder src/utils is not in the order"
