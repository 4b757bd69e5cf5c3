#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hammer.sh BUILD [ROUNDS]: two daemons and the CLI write one local ledger at
# the same time; afterwards it verifies, and holds exactly what was accepted.
set -euo pipefail
build=$(readlink -f "${1:?usage: $0 BUILD [ROUNDS]}")
rounds=${2:-40}

find_program() {
  local path
  for path in "$build/$1" "$build/src/daemon/$1" "$build/src/cli/$1"; do
    [ -x "$path" ] && [ -f "$path" ] && echo "$path" && return
  done
  echo "hammer: $1 is not built in $build" >&2
  exit 1
}
sipchaind=$(find_program sipchaind)
sipchain=$(find_program sipchain)

folder=$(mktemp -d)
daemons=()
finish() {
  local pid
  for pid in "${daemons[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap finish EXIT
fail() {
  echo "hammer: $*" >&2
  tail -n 5 "$folder"/*.log >&2 || true
  exit 1
}

ledger=$folder/ledger.db
owner=$folder/owner.key
"$sipchain" init --yes --ledger "$ledger" --owner-key "$owner" --max-ttl 1h \
  --allow-unroutable >/dev/null
for letter in a b; do
  mkdir "$folder/$letter"
  address=$("$sipchain" key new "$folder/$letter.key")
  "$sipchain" member add --ledger "$ledger" --key "$owner" --name "bank-$letter" \
    --signer "$address" --cap 1000 >/dev/null
  cat >"$folder/$letter.conf" <<CONF
[node]
name = $letter
user =
state = $folder/$letter
run = $folder/$letter
[member]
key = $folder/$letter.key
[ledger]
path = $ledger
[enforce]
type = none
CONF
  "$sipchaind" -c "$folder/$letter.conf" >"$folder/$letter.log" 2>&1 </dev/null &
  daemons+=($!)
done

ready() { # letter
  "$sipchain" status --json --config "$folder/$1.conf" 2>/dev/null |
    grep -q '"caught_up": *true'
}
for letter in a b; do
  for _ in $(seq 1200); do
    if ready "$letter"; then continue 2; fi
    sleep 0.1
  done
  fail "the daemon of $letter is not ready after 120 s"
done

# Each worker notes what was accepted; a refusal here is a failure.
reporter() { # letter, network
  local i
  for i in $(seq "$rounds"); do
    "$sipchain" report "198.51.$2.$i" --category scan --ttl 10m \
      --config "$folder/$1.conf" >/dev/null || return 1
    [ $((i % 4)) -ne 0 ] || "$sipchain" revoke "198.51.$2.$i" \
      --config "$folder/$1.conf" >/dev/null || return 1
  done
}
administrator() {
  local i
  for i in $(seq "$rounds"); do
    "$sipchain" protect add "203.0.113.$i" --ledger "$ledger" --key "$owner" >/dev/null ||
      return 1
  done
}
reader() {
  local i
  for i in $(seq $((rounds / 4))); do
    "$sipchain" ledger verify --ledger "$ledger" >/dev/null || return 1
  done
}

echo "hammer: $rounds rounds of two reporters at each of two daemons, the CLI, a reader"
workers=()
for job in "reporter a 100" "reporter a 101" "reporter b 102" "reporter b 103" \
  administrator reader; do
  $job 2>"$folder/${job// /-}.log" &
  workers+=($!)
done
for worker in "${workers[@]}"; do
  wait "$worker" || fail "a worker was refused"
done

"$sipchain" ledger verify --ledger "$ledger" || fail "the ledger does not verify"
history=$folder/history
"$sipchain" ledger export --ledger "$ledger" >"$history"
reports=$(grep -o '"action":"report"' "$history" | wc -l)
spends=$(grep -o '"action":"spend"' "$history" | wc -l)
tables=$(grep -c '"operation":"protect"' "$history")
[ "$reports" -eq $((4 * rounds)) ] || fail "$reports reports, not $((4 * rounds))"
[ "$spends" -eq $((4 * (rounds / 4))) ] || fail "$spends revocations"
[ "$tables" -eq "$rounds" ] || fail "$tables protected tables, not $rounds"
for letter in a b; do
  live=$("$sipchain" list --json --config "$folder/$letter.conf" |
    grep -c '"indicator":') || true
  [ "$live" -eq $((4 * rounds - spends)) ] ||
    fail "the daemon of $letter lists $live, not $((4 * rounds - spends))"
done
echo "hammer: $reports reports, $spends revocations, $tables tables: none lost"
