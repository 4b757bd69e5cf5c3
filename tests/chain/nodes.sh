# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# nodes.sh: what ibft.sh and clique.sh share: node I lives in $DIR/nI, its
# process id in $DIR/nI/pid, what it says in $DIR/nI/log. Sourced.

die() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# Ours only while it still runs on this data: the number may be another's by now.
alive() { # node; prints its process id
  local pid line
  read -r pid 2>/dev/null <"$DIR/n$1/pid" || return 1
  line=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || return 1
  [[ $line == *" $DIR/n$1 "* ]] || return 1
  grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null && return 1
  echo "$pid"
}

signal_node() { # node, signal
  local pid
  pid=$(alive "$1") || return 0
  kill "-$2" "$pid" 2>/dev/null || return 0
  kill -CONT "$pid" 2>/dev/null || true # a frozen one hears nothing else
}

stop_node() { # node, signal; returns when it is gone
  local tick
  signal_node "$1" "$2"
  for ((tick = 0; tick < 200; tick++)); do
    alive "$1" >/dev/null || break
    [ "$tick" -ne 150 ] || signal_node "$1" KILL
    sleep 0.1
  done
  rm -f "$DIR/n$1/pid"
}

stop_all() {
  local i
  for ((i = 1; i <= N; i++)); do signal_node "$i" TERM; done
  for ((i = 1; i <= N; i++)); do stop_node "$i" TERM; done
}

# One JSON-RPC call without curl: HTTP/1.0, so that the reply ends by itself.
rpc() { # node, method, parameters
  local body="{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":${3:-[]}}"
  (
    exec 3<>"/dev/tcp/$HOST/$((PORT + 10 * ($1 - 1)))" || exit 1
    printf 'POST / HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
      ${#body} "$body" >&3
    timeout 5 cat <&3 9>&-
  ) 2>/dev/null | tr -d '\r\n\t '
}

field() { # name; the first such field of a reply, a text or a word
  sed -n "s/.*[{,]\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

height() { # node; a number, or nothing
  local text
  text=$(rpc "$1" eth_blockNumber | field result)
  [[ $text == 0x* ]] && echo $((text))
}

# Until a command holds; it may take so many seconds.
await() { # seconds, what, command...
  local seconds=$1 what=$2 end
  shift 2
  end=$((SECONDS + seconds))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || die "no $what after $seconds s, see $DIR/n*/log"
    sleep 0.05
  done
}

# A failed `up` leaves nothing running; what the nodes said stays.
undo() { # command...; what else to stop
  local status=$?
  if [ "$status" -ne 0 ]; then
    stop_all
    "$@"
    rm -f "$DIR/conf"
  fi
  exit "$status"
}

remember() { # variable...
  local name
  for name in "$@"; do printf '%s=%q\n' "$name" "${!name}"; done >"$DIR/conf"
}

# One command at a time; the nodes do not inherit the lock.
DIR=$(realpath -m "${DIR:?the folder of the network}")
mkdir -p "$DIR"
exec 9>"$DIR/.lock"
flock -w 120 9 || die "another one is at work on $DIR"
