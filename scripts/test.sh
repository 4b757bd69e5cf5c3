#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: every test, counted. The last line is "N passed, N failed".
#   unit, fuzz corpora, scenarios   meson test, gcc with the sanitizers
#   second compiler, layering
#   network                         three nodes with real Asterisk and sipp
#   contract, chain                 the contract's own; clients, commands and nodes on a
#                                   development chain, and its faults
set -uo pipefail
cd "$(dirname "$0")/.." || exit

results=build/test/results
mkdir -p build/test
: >"$results"
count() { # name, exit status
  if [ "$2" -eq 0 ]; then
    printf 'pass\t%s\n' "$1" >>"$results"
    echo "ok: $1"
  else
    printf 'fail\t%s\n' "$1" >>"$results"
    echo "FAILED: $1"
  fi
}

rm -f build/test/meson-logs/testlog.json
scripts/build.sh test
count "build with gcc and the sanitizers" $?
if [ -e build/test/build.ninja ]; then
  # What one of them compares with; it says so itself where it cannot be had.
  scripts/number-plan.py --fetch </dev/null || true
  echo "unit tests ..."
  # What failed, or was not built, is counted from its log.
  meson test -C build/test --no-rebuild --print-errorlogs --timeout-multiplier 3 \
    </dev/null || true
fi

scripts/build.sh clang
count "build with clang, warnings are errors" $?
scripts/layers.py
count "layers: each folder includes only what stands above it" $?
tests/scripts/test_layers.sh
count "layers: a breach is found" $?

if [ -x build/test/src/daemon/sipchaind ]; then
  echo "network tests ..."
  tests/net/run.py --build build/test --kill all --results "$results" </dev/null
  status=$?
  # Its cases are in the results; a runner that broke off is one more failure.
  [ $status -le 1 ] || count "network tests: the runner ended with $status" $status
  tests/net/hammer.sh build/test
  count "two daemons and the CLI hammer one ledger" $?
  for program in cli ledger_cli keys production daemon ami texts filters honeypot sipvicious connectors blocked; do # their checks are in the results
    tests/net/$program.py --build build/test --results "$results" </dev/null
    status=$?
    [ $status -le 1 ] || count "$program.py: it ended with $status" $status
  done
else
  count "network tests: build/test has no sipchaind" 1
fi

echo "API tests ..."
for program in api hostile reload transcript; do
  tests/api/$program.py --build build/test --results "$results" </dev/null
  status=$?
  [ $status -le 1 ] || count "tests/api/$program.py: it ended with $status" $status
done

# Its lines are its steps: each is counted.
echo "contract tests ..."
contracts/test.sh </dev/null >build/test/contracts.log 2>&1
status=$?
cat build/test/contracts.log
sed -n 's/^ok: contracts: /pass\tcontracts: /p; s/^FAILED: contracts: /fail\tcontracts: /p' \
  build/test/contracts.log >>"$results"
grep -q '^\(ok\|FAILED\): contracts: ' build/test/contracts.log ||
  count "contracts/test.sh: it ended with $status before any test" 1

if [ ! -x build/test/src/daemon/sipchaind ]; then
  count "chain tests: build/test has no sipchaind" 1
elif ! tests/chain/fetch-tools.sh anvil >/dev/null; then
  count "chain tests: there is no anvil" 1
else
  # The harness, the contract beside the local ledger, commands, README, faults.
  for program in selftest differential cli transcript faults_anvil; do
    echo "chain tests: $program ..."
    build=(--build build/test)
    [ $program != selftest ] || build=()
    tests/chain/$program.py "${build[@]}" --results "$results" </dev/null
    status=$?
    [ $status -le 1 ] || count "chain/$program.py: it ended with $status" $status
  done
fi

exec scripts/summary.py build/test/meson-logs/testlog.json "$results"
