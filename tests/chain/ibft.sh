#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ibft.sh: a network of IBFT validators on one address: finality at once, no
# fees, legacy transactions, no eth_getProof.
#   up [N]     N validators (4); ready when each has block 1 and knows all others
#   start I    validator I again on its old data; ready when it takes part again
#   kill I     kill -9          term I   SIGTERM, and wait
#   status     one line a validator
#   down       end all; their data and logs stay until the next up
# From the environment at the first up, then remembered:
#   DIR          the network's folder
#   IBFT         the engine (fetch-tools.sh)
#   HOST, PORT   127.0.0.1 22000: validator I has HTTP and WebSocket (path /ws) on
#                PORT + 10 * (I - 1); the next two ports are libp2p and gRPC
#   CHAIN_ID 4224   BLOCK_TIME 1s   PREMINE addresses with money   OPTIONS flags
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command=${1:-help}
[ "$command" != help ] || { sed -n '3,/^set/{/^#/p}' "$0" && exit 2; }
# shellcheck source=/dev/null
. "$here/nodes.sh"

if [ -f "$DIR/conf" ]; then
  # shellcheck source=/dev/null
  . "$DIR/conf"
else
  N=${2:-4} IBFT=$(realpath -m "${IBFT:-ibft}") HOST=${HOST:-127.0.0.1} PORT=${PORT:-22000}
  CHAIN_ID=${CHAIN_ID:-4224} BLOCK_TIME=${BLOCK_TIME:-1s} PREMINE=${PREMINE:-}
  OPTIONS=${OPTIONS:-}
fi

make() { # keys and genesis
  local i boot=() money=()
  [[ $N =~ ^[1-9][0-9]?$ ]] || die "N is 1 to 99"
  [ -x "$IBFT" ] || die "no engine at $IBFT (set IBFT)"
  cd "$DIR"
  rm -rf n[0-9]* genesis.json
  for ((i = 1; i <= N; i++)); do
    "$IBFT" secrets init --insecure --data-dir "n$i" >make.log 2>&1 ||
      die "no keys: $(tail -n 3 make.log)"
  done
  # All of them: one that comes back finds its peers by those who are boot nodes, and if
  # it found the one alone that is frozen next, the others would lack its vote.
  for ((i = 1; i <= N; i++)); do
    boot+=(--bootnode "/ip4/127.0.0.1/tcp/$((PORT + 10 * (i - 1) + 1))/p2p/$(
      "$IBFT" secrets output --data-dir "n$i" | awk '/Node ID/ { print $NF }')")
  done
  # With one validator there is no second boot node, which the engine asks for.
  [ "$N" -gt 1 ] || boot+=("${boot[@]}")
  for i in $PREMINE; do money+=(--premine "$i"); done
  "$IBFT" genesis --consensus ibft --ibft-validator-type ecdsa --validators-prefix n \
    "${boot[@]}" ${money[@]+"${money[@]}"} --block-gas-limit 100000000 \
    --block-time "$BLOCK_TIME" --chain-id "$CHAIN_ID" >>make.log 2>&1 ||
    die "no genesis: $(tail -n 3 make.log)"
}

launch() { # validator
  local port=$((PORT + 10 * ($1 - 1)))
  alive "$1" >/dev/null && return
  # shellcheck disable=SC2086 # OPTIONS are words
  setsid "$IBFT" server --data-dir "$DIR/n$1" --chain "$DIR/genesis.json" --seal \
    --jsonrpc "$HOST:$port" --libp2p "127.0.0.1:$((port + 1))" \
    --grpc-address "127.0.0.1:$((port + 2))" --log-level INFO $OPTIONS \
    </dev/null >>"$DIR/n$1/log" 2>&1 9>&- &
  echo $! >"$DIR/n$1/pid"
}

# Until it is exec()ed, the new process still has this script's command line.
lives() { alive "$1" >/dev/null; }
reaches() { # validator, height
  local now
  lives "$1" || die "validator $1 died: $(tail -n 3 "$DIR/n$1/log")"
  now=$(height "$1") && [ "$now" -ge "$2" ]
}

living() {
  local i count=0
  for ((i = 1; i <= N; i++)); do ! alive "$i" >/dev/null || count=$((count + 1)); done
  echo "$count"
}

highest() {
  local i now top=0
  for ((i = 1; i <= N; i++)); do
    now=$(height "$i") || continue
    [ "$now" -le "$top" ] || top=$now
  done
  echo "$top"
}

# Each has a connection to every other that lives: no vote is lost on a detour.
meets() { # validator
  local peers
  peers=$(rpc "$1" net_peerCount | field result)
  [[ $peers == 0x* ]] && [ $((peers)) -ge $(($(living) - 1)) ]
}

# A validator hears of a block that it missed when the next one is made. If its vote is
# needed for the next, it missed one while it connected and another validator ended then,
# the network would stand for good: so it has to have seen new ones come.
takes_part() { # validator
  [ "$(living)" -gt $((2 * N / 3)) ] || return 0
  await 240 "new blocks at validator $1" reaches "$1" $(($(highest) + 2))
}

up() {
  local i
  trap 'undo true' EXIT
  [ -f "$DIR/conf" ] || make
  remember N IBFT HOST PORT CHAIN_ID BLOCK_TIME PREMINE OPTIONS
  # One after the other: two that call each other at once may refuse each other for good.
  for ((i = 1; i <= N; i++)); do
    launch "$i"
    await 10 "process of validator $i" lives "$i"
    await 60 "reply of validator $i" reaches "$i" 0
  done
  for ((i = 1; i <= N; i++)); do
    await 60 "block 1 at validator $i" reaches "$i" 1
    await 60 "connection of validator $i to every other" meets "$i"
  done
}

[ "$command" = up ] || [ -f "$DIR/conf" ] || {
  [ "$command" != down ] || exit 0
  die "no network in $DIR"
}
case $command in
up) up ;;
start)
  launch "${2:?validator}"
  await 10 "process of validator $2" lives "$2"
  await 60 "reply of validator $2" reaches "$2" 0
  await 60 "connection of validator $2 to every other that lives" meets "$2"
  takes_part "$2"
  ;;
kill) stop_node "${2:?validator}" KILL ;;
term) stop_node "${2:?validator}" TERM ;;
down)
  stop_all
  rm -f "$DIR/conf"
  ;;
status)
  for ((i = 1; i <= N; i++)); do
    echo "$i  pid $(alive "$i" || echo dead)  height $(height "$i" || echo -)"
  done
  ;;
*) die "no command '$command' (up, start, kill, term, status, down)" ;;
esac
