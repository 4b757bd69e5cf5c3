#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test-network.sh: nodes on real networks of several validators, counted. The
# last line is "N passed, N failed".
#   demonstration   three nodes with real Asterisk, each on its own IBFT validator
#   harness         the networks die, halt, part and reorganise as the tests rely on
#   faults          validators that die, partitions, reorganisations: IBFT, clique
# Go builds the engines on the first run (four minutes, kept in .cache/chain).
set -uo pipefail
cd "$(dirname "$0")/.." || exit

results=build/test/results-network
mkdir -p build/test
: >"$results"
fail() { # text
  printf 'fail\t%s\n' "$1" >>"$results"
  echo "FAILED: $1"
}

if ! scripts/build.sh test; then
  fail "build with gcc and the sanitizers"
elif ! tests/chain/fetch-tools.sh ibft geth >/dev/null; then
  fail "the engines ibft and geth are not there"
else
  echo "demonstration on four validators ..."
  tests/net/run.py --build build/test --ledger ethereum --kill all --results "$results" \
    </dev/null
  status=$?
  [ $status -le 1 ] || fail "the demonstration's runner ended with $status"
  echo "the networks themselves ..."
  timeout -k 10 900 tests/chain/selftest.py --networks-only --results "$results" </dev/null
  status=$?
  [ $status -le 1 ] || fail "chain/selftest.py: it ended with $status"
  echo "faults on networks ..."
  tests/chain/faults_network.py --build build/test --results "$results" </dev/null
  status=$?
  [ $status -le 1 ] || fail "chain/faults_network.py: it ended with $status"
fi

exec scripts/summary.py /dev/null "$results"
