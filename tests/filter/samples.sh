#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# samples.sh PROGRAM CACHE: fail2ban's annotated logs through our filters. Leaves
# with 77 where its package cannot be had.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/fetch.sh" "$2" || exit 77
source=$2/source
# Two of the tests' own filters include common.conf by a path; which one differs.
own=$source/fail2ban/tests/config/filter.d
grep -q '^before = \(\.\./\)\{7\}' "$own/zzz-generic-example.conf" &&
  own=$source/.pybuild/py/build/fail2ban/tests/config/filter.d
"$1" "$source/config/filter.d:$own" "$source/fail2ban/tests/files/logs"
