#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# accuracy.sh [CORPUS]: every case of a corpus (asterisk/CASE, kamailio/CASE; the
# project's own by default) through the sensors, the detector and the default
# policy; the table of who is published and banned, and of which numbers come of the
# dialled strings, beside the truth and beside fail2ban. The last line is one JSON
# object with the totals.
set -euo pipefail
corpus=$(realpath -e "${1:-$(dirname "$0")/../tests/data/corpora}")
cd "$(dirname "$0")/.."
scripts/build.sh release >&2
exec tests/accuracy/accuracy.py --replay build/release/tests/accuracy/accuracy_replay \
  --corpus "$corpus"
