#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clique.sh: a clique (proof of authority) network on one address: forks when
# parted, reorganises when healed. Needs geth 1.13.15, the last that seals clique.
#   up [N]          N signers (4); ready when all have block 2
#   start I         node I again on its old data; ready when it answers
#   kill I          kill -9          term I   SIGTERM, and wait
#   partition [A B...]   each a list such as 1,2; who is in none forms a last group;
#                   default: the first half and the second
#   heal            one net again (a twin stops sealing first)
#   unstick         end a standstill: equally heavy forks that nobody extends
#   status          one line a node; status 0 only if all run on one chain
#   down            end all; their data and logs stay until the next up
# From the environment at the first up, then remembered:
#   DIR          the network's folder
#   GETH         the engine (fetch-tools.sh)
#   HOST, PORT   127.0.0.1 22000: node I has HTTP on PORT + 10 * (I - 1), then
#                WebSocket, devp2p, the engine port, and the net (wire.py)
#   CHAIN_ID 4224   PERIOD 1 (seconds)   GASLIMIT 100000000
#   ALLOC        addresses with money       OPTIONS   flags
#   LONDON=1     type 2 transactions too. Then one block over half full lifts the
#                base fee to 1 for good, and free transactions wait for ever.
#   TWIN="4=2"   node 4 holds node 2's key, is no signer of its own and seals only
#                while the net is parted: both sides then go on sealing, so that
#                reorganisations of any depth can be made. Several: "3=2 5=1".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command=${1:-help}
[ "$command" != help ] || { sed -n '3,/^set/{/^#/p}' "$0" && exit 2; }
# shellcheck source=/dev/null
. "$here/nodes.sh"
[ $# -eq 0 ] || shift

if [ -f "$DIR/conf" ]; then
  # shellcheck source=/dev/null
  . "$DIR/conf"
else
  N=${1:-4} GETH=$(realpath -m "${GETH:-geth}") HOST=${HOST:-127.0.0.1} PORT=${PORT:-22000}
  CHAIN_ID=${CHAIN_ID:-4224} PERIOD=${PERIOD:-1} GASLIMIT=${GASLIMIT:-100000000}
  LONDON=${LONDON:-0} TWIN=${TWIN:-} ALLOC=${ALLOC:-} OPTIONS=${OPTIONS:-}
fi

port() { echo $((PORT + 10 * ($1 - 1) + ${2:-0})); } # node, which
keeper() { # node; the node whose signer key it holds
  local pair
  for pair in $TWIN; do
    [ "${pair%%=*}" != "$1" ] || { echo "${pair##*=}" && return; }
  done
  echo "$1"
}
is_twin() { [ "$(keeper "$1")" != "$1" ]; }
parted() { [ "$(cat "$DIR/groups")" != one ]; }
enode() { # of node, as another one reaches it
  echo "enode://$(cat "$DIR/n$1/public")@127.66.$2.$1:$((PORT + 4))?discport=0"
}
address() { cat "$DIR/n$1/address"; }

make_keys() {
  local i original secret public address
  while read -r secret public address; do
    i=$((${i:-0} + 1))
    mkdir -p "$DIR/n$i"
    echo -n "$secret" >"$DIR/n$i/nodekey"
    echo "$public" >"$DIR/n$i/public"
  done < <(python3 "$here/transaction.py" "$N")
  i=0
  while read -r secret _ address; do
    i=$((i + 1))
    original=$(keeper "$i")
    [ "$original" -le "$i" ] || die "TWIN: the original must have the lower number"
    echo -n "$secret" >"$DIR/n$i/signer.key"
    echo "$address" >"$DIR/n$i/address"
    is_twin "$i" && cp "$DIR/n$original"/{signer.key,address} "$DIR/n$i/"
    "$GETH" --verbosity 1 --datadir "$DIR/n$i" account import --lightkdf --password \
      "$DIR/password" "$DIR/n$i/signer.key" >"$DIR/n$i/init.log" 2>&1 ||
      die "no account for node $i: $(tail -n 1 "$DIR/n$i/init.log")"
  done < <(python3 "$here/transaction.py" "$N")
}

make_genesis() {
  local i signers alloc="" london="" fee=""
  signers=$(for ((i = 1; i <= N; i++)); do is_twin "$i" || address "$i"; done | sort |
    sed 's/^0x//' | tr -d '\n')
  for i in $ALLOC; do
    alloc+="${alloc:+,}\"${i#0x}\":{\"balance\":\"0xd3c21bcecceda1000000\"}"
  done
  [ "$LONDON" != 1 ] || london='"londonBlock":0,' fee='"baseFeePerGas":"0x0",'
  cat >"$DIR/genesis.json" <<JSON
{"config":{"chainId":$CHAIN_ID,"homesteadBlock":0,"eip150Block":0,"eip155Block":0,
  "eip158Block":0,"byzantiumBlock":0,"constantinopleBlock":0,"petersburgBlock":0,
  "istanbulBlock":0,"berlinBlock":0,${london}"clique":{"period":$PERIOD,"epoch":30000}},
 "difficulty":"0x1","gasLimit":"$(printf 0x%x "$GASLIMIT")",$fee
 "extraData":"0x$(printf '0%.0s' {1..64})$signers$(printf '0%.0s' {1..130})",
 "alloc":{$alloc}}
JSON
}

make() {
  local i
  [ -x "$GETH" ] || die "no geth at $GETH (set GETH)"
  [[ $N =~ ^[1-9][0-9]?$ ]] || die "N is 1 to 99"
  rm -rf "${DIR:?}"/n[0-9]*
  (umask 077 && echo test >"$DIR/password")
  make_keys
  make_genesis
  for ((i = 1; i <= N; i++)); do
    "$GETH" --verbosity 1 --datadir "$DIR/n$i" --state.scheme hash init \
      "$DIR/genesis.json" >"$DIR/n$i/init.log" 2>&1 ||
      die "no genesis for node $i: $(tail -n 1 "$DIR/n$i/init.log")"
  done
  echo one >"$DIR/groups"
}

launch() { # node
  local i=$1 j peers="" most=$((N > 2 ? N / 2 : 1))
  alive "$i" >/dev/null && return
  for ((j = 1; j <= N; j++)); do
    [ "$j" = "$i" ] || peers="$peers${peers:+, }\"$(enode "$j" "$i")\""
  done
  # geth syncs at once when it has MaxPeers peers, else only each 10 s while it has
  # less than 5; trusted peers pass that limit. DialRatio 1: else it keeps a third
  # of MaxPeers dialled. A failed dial is not repeated for 35 s, so `up` starts the
  # nodes one after the other and each finds those before it.
  cat >"$DIR/n$i/node.toml" <<TOML
[Node.P2P]
ListenAddr = "127.0.0.1:$(port "$i" 2)"
MaxPeers = $most
DialRatio = 1
NoDiscovery = true
StaticNodes = [$peers]
TrustedNodes = [$peers]
TOML
  # What is looked for in the log is what this run says.
  [ ! -s "$DIR/n$i/log" ] || cat "$DIR/n$i/log" >>"$DIR/n$i/old.log"
  # Archive: a pruning geth forgets states by kill -9 and the nodes may split for
  # good.
  # shellcheck disable=SC2086 # OPTIONS are words
  setsid "$GETH" --datadir "$DIR/n$i" --config "$DIR/n$i/node.toml" \
    --networkid "$CHAIN_ID" --syncmode full --gcmode archive --state.scheme hash \
    --nodiscover --nat none --nodekey "$DIR/n$i/nodekey" --ipcdisable --cache 64 \
    --authrpc.addr 127.0.0.1 --authrpc.port "$(port "$i" 3)" \
    --http --http.addr "$HOST" --http.port "$(port "$i")" --http.vhosts '*' \
    --http.api eth,net,web3,txpool,clique,debug,admin,miner \
    --ws --ws.addr "$HOST" --ws.port "$(port "$i" 1)" --ws.origins '*' \
    --ws.api eth,net,web3,txpool,clique,debug \
    --miner.etherbase "$(address "$i")" --unlock "$(address "$i")" \
    --password "$DIR/password" --allow-insecure-unlock --miner.gasprice 1 \
    --miner.gaslimit "$GASLIMIT" --miner.recommit 1s --txpool.pricelimit 1 \
    --rpc.txfeecap 0 --verbosity 3 $OPTIONS \
    </dev/null >"$DIR/n$i/log" 2>&1 9>&- &
  echo $! >"$DIR/n$i/pid"
}

# The net between the nodes, see wire.py.
wire() { # prints its process id
  local pid line
  read -r pid 2>/dev/null <"$DIR/wire.pid" || return 1
  line=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  [[ $line == *"wire.py $DIR $PORT "* ]] && echo "$pid"
}
part() { # groups
  local pid
  pid=$(wire) || die "wire.py died, see $DIR/wire.log"
  echo "$1" >"$DIR/groups"
  kill -HUP "$pid"
  await 10 "change of the net" wired "$1"
}
wired() { [ "$(cat "$DIR/wire.state" 2>/dev/null)" = "$1" ]; }
start_wire() {
  wire >/dev/null && return
  rm -f "$DIR/wire.state"
  setsid "$here/wire.py" "$DIR" "$PORT" "$N" </dev/null >"$DIR/wire.log" 2>&1 9>&- &
  echo $! >"$DIR/wire.pid"
  await 10 "wire.py" wired "$(cat "$DIR/groups")"
}
no_wire() { ! wire >/dev/null; }
stop_wire() {
  local pid
  if pid=$(wire); then
    kill "$pid"
    await 10 "end of wire.py" no_wire
  fi
  rm -f "$DIR/wire.pid"
}

lives() { alive "$1" >/dev/null; }
# geth answers before it has unlocked; sealing begun earlier fails and is not tried
# again. Free transactions of peers are refused until the price is 0, which the
# flags cannot say.
serves() { # node
  lives "$1" || die "node $1 died: $(tail -n 3 "$DIR/n$1/log")"
  grep -q 'Unlocked account' "$DIR/n$1/log" &&
    [ "$(rpc "$1" miner_setGasPrice '["0x0"]' | field result)" = true ]
}
begin() { # node; start it and wait
  launch "$1"
  await 10 "process of node $1" lives "$1"
  await 30 "reply of node $1" serves "$1"
}
seal() { # node
  if is_twin "$1" && ! parted; then return; fi
  rpc "$1" miner_start >/dev/null
}

all_at() { # height, peers each
  local i now peers
  for ((i = 1; i <= N; i++)); do
    now=$(height "$i") && [ "$now" -ge "$1" ] || return 1
    peers=$(rpc "$i" net_peerCount | field result)
    [ $((peers)) -ge "$2" ] || return 1
  done
}

first_signer() { # the node that is in turn for block 1
  local i list
  mapfile -t list < <(for ((i = 1; i <= N; i++)); do
    is_twin "$i" || echo "$(address "$i") $i"
  done | sort)
  echo "${list[$((1 % ${#list[@]}))]#* }"
}

up() {
  local i first
  trap 'undo stop_wire' EXIT
  if [ -f "$DIR/conf" ]; then
    start_wire
    for ((i = 1; i <= N; i++)); do begin "$i" && seal "$i"; done
    return
  fi
  make
  remember N GETH HOST PORT CHAIN_ID PERIOD GASLIMIT LONDON TWIN ALLOC OPTIONS
  # Until it seals or has synced once, geth throws announced blocks away, and a
  # peer's head is told only once: if all begin at the same time, two or three sit
  # on different blocks 1 for ever. So one seals block 1 alone, the others join.
  start_wire
  first=$(first_signer)
  begin "$first"
  seal "$first"
  for ((i = 1; i <= N; i++)); do [ "$i" = "$first" ] || begin "$i"; done
  await 30 "full mesh on block 1" all_at 1 $((N - 1))
  for ((i = 1; i <= N; i++)); do seal "$i"; done
  await 30 "block 2" all_at 2 0
}

twins() { # miner_start|miner_stop
  local i
  for ((i = 1; i <= N; i++)); do
    if is_twin "$i" && alive "$i" >/dev/null; then rpc "$i" "$1" >/dev/null; fi
  done
}

partition() {
  [ $# -gt 0 ] || set -- "$(seq -s, 1 $(((N + 1) / 2)))"
  part "$*"
  twins miner_start
}
heal() {
  twins miner_stop
  part one
}

block() { # node, height or latest, field
  local which=$2
  [ "$which" = latest ] || which=$(printf 0x%x "$which")
  rpc "$1" eth_getBlockByNumber "[\"$which\",false]" | field "$3"
}

status() {
  local i now low="" hash reference="" bad=0
  for ((i = 1; i <= N; i++)); do
    now=$(height "$i") || continue
    [ -n "$low" ] && [ "$low" -le "$now" ] || low=$now
  done
  echo "groups: $(cat "$DIR/groups")  lowest head: ${low:-none}"
  for ((i = 1; i <= N; i++)); do
    alive "$i" >/dev/null || { echo "$i  dead" && bad=1 && continue; }
    hash=$(block "$i" "${low:-0}" hash)
    reference=${reference:-$hash}
    [ "$hash" = "$reference" ] || bad=1
    echo "$i  pid $(alive "$i")  height $(height "$i")  $(block "$i" latest totalDifficulty)" \
      "at $low ${hash:0:10}  peers $(rpc "$i" net_peerCount | field result)"
  done
  return $bad
}

# Nodes off the heaviest chain step back, so that it becomes heavier than theirs,
# and restart: a peer learns a head by handshake or new block only.
unstick() {
  local i best=0 heaviest="" low back
  declare -A weight head
  for ((i = 1; i <= N; i++)); do
    alive "$i" >/dev/null || continue
    weight[$i]=$(($(block "$i" latest totalDifficulty))) head[$i]=$(height "$i")
    [ "${weight[$i]}" -le "$best" ] || best=${weight[$i]} heaviest=$i
  done
  for i in "${!weight[@]}"; do
    [ "$i" != "$heaviest" ] || continue
    low=$((head[$i] < head[$heaviest] ? head[$i] : head[$heaviest]))
    [ "$(block "$i" "$low" hash)" != "$(block "$heaviest" "$low" hash)" ] || continue
    back=$((head[$i] - 1 - N / 2))
    [ "$back" -ge 0 ] || back=0
    rpc "$i" miner_stop >/dev/null
    rpc "$i" debug_setHead "[\"$(printf 0x%x "$back")\"]" >/dev/null
    stop_node "$i" TERM
    begin "$i"
    seal "$i"
  done
}

[ "$command" = up ] || [ -f "$DIR/conf" ] || {
  [ "$command" != down ] || exit 0
  die "no network in $DIR"
}
case $command in
up) up ;;
start)
  begin "${1:?node}"
  seal "$1"
  ;;
kill) stop_node "${1:?node}" KILL ;;
term) stop_node "${1:?node}" TERM ;;
partition) partition "$@" ;;
heal) heal ;;
unstick) unstick ;;
status) status ;;
down)
  stop_all
  stop_wire
  rm -f "$DIR/conf"
  ;;
*) die "no command '$command', see $0 help" ;;
esac
