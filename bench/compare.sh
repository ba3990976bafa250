#!/bin/sh
# The comparison that the README shows: each row a run of "hubsub bench", kept as JSON. Of the rows against other servers
# comparison.html and comparison.svg are made, of those of HubSub against itself itself.html. With names of rows, only
# those are run again; pages and picture are of all that are there.
#
#   PAIRS     how often each server is measured in a row (9)
#   DURATION  for how long each time (1s)
#   RESULTS   the folder of JSON, pages and picture (bench/results)
#
# Servers run on CPU 0, the generator on CPU 1, one server at a time. All rows with 9 pairs of 1 s take half an hour.
set -eu
cd "$(dirname "$0")/.."
pairs=${PAIRS:-9}
duration=${DURATION:-1s}
results=${RESULTS:-bench/results}

against_others="pingpong pingpong-latency pingpong128 room room-latency room64 rooms rooms-one rooms-latency gateway gateway8x64 patterns idle \
room-spin rooms-spin gateway-spin"
against_itself="patterns-none resp-room resp-rooms loops-pingpong loops-room loops-gateway loops-rooms unix"
rows="$against_others $against_itself"

fail() { echo "bench/compare.sh: $*" >&2; exit 1; }
for name in "$@"; do
	case " $rows " in *" $name "*) ;; *) fail "no row $name; there are" $rows ;; esac
done
[ -x hubsub ] || fail "no ./hubsub: make build"
command -v go >/dev/null || fail "no go, which builds the NATS server: install Go"
command -v redis-server >/dev/null || fail "no redis-server: apt-get install redis-server"

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
go build -C bench/nats -o "$tools/nats-server" github.com/nats-io/nats-server/v2 ||
	fail "cannot build the NATS server of bench/nats: its modules are downloaded once"
PATH="$PWD:$tools:$PATH" # the commands below are shown in the page: they have no folders in them
mkdir -p "$results"

# What is compared. All have one CPU; NATS is told so, as HubSub is by --loops.
redis='redis=redis-server --port {port} --save "" --appendonly no'
hubsub_command='hubsub --port {port} --loglevel warning --loops'
hubsub="hubsub=$hubsub_command 1"
nats='nats=env GOMAXPROCS=1 nats-server -a 127.0.0.1 -p {port}'
floor='floor=hubsub bench floor --port {port}'
one="1 loop=$hubsub_command 1"
two="2 loops=$hubsub_command 2"
four="4 loops=$hubsub_command 4"

# versus runs one comparison and keeps it: the words after "hubsub bench", --, and the servers.
versus() {
	words=$#
	servers=""
	for word in "$@"; do # turns "-- A B" into "--vs A --vs B"
		if [ "$word" = -- ]; then
			servers=yes
		else
			[ -z "$servers" ] || set -- "$@" --vs
			set -- "$@" "$word"
		fi
	done
	shift "$words"
	shape=$1
	shift
	set -- hubsub bench "$shape" --pairs "$pairs" "$@" --json
	show "$@"
	"$@" >"$tools/run.json" || fail "$row failed"
	mv "$tools/run.json" "$results/$row.json"
}

# loaded is versus for shapes that have a duration.
loaded() {
	shape=$1
	shift
	versus "$shape" --duration "$duration" "$@"
}

# show prints a command as one would type it.
show() {
	for word in "$@"; do
		case $word in *[!A-Za-z0-9_./-]*) printf "'%s' " "$word" ;; *) printf '%s ' "$word" ;; esac
	done
	echo
}

run() {
	row=$1
	case $row in
	# Against other servers; Redis is first, so it is what the others are compared to. The floor sends once per subscriber
	# and channel: where a connection has many channels (gateway) that is not the least, and it knows no patterns.
	pingpong) loaded pingpong -- "$redis" "$hubsub" "$nats" "$floor" ;;
	pingpong-latency) loaded pingpong --rate 2000 -- "$redis" "$hubsub" "$nats" "$floor" ;;
	pingpong128) loaded pingpong --pipeline 128 -- "$redis" "$hubsub" "$nats" "$floor" ;;
	room) loaded room -- "$redis" "$hubsub" "$nats" "$floor" ;;
	room-latency) loaded room --subscribers 100 --rate 2000 -- "$redis" "$hubsub" \
		"hubsub 5ms=$hubsub_command 1 --coalesce-max 5ms" "hubsub no hold=$hubsub_command 1 --coalesce-max 0" ;;
	room64) loaded room --pipeline 64 -- "$redis" "$hubsub" "$nats" "$floor" ;;
	rooms) loaded rooms -- "$redis" "$hubsub" "$nats" "$floor" ;;
	rooms-one) loaded rooms --publishers 1 --pipeline 1 -- "$redis" "$hubsub" "$nats" ;;
	# About half of what Redis can do on the machine on which this was written.
	rooms-latency) loaded rooms --rate 10000 -- "$redis" "$hubsub" "$nats" ;;
	gateway) loaded gateway -- "$redis" "$hubsub" "$nats" ;;
	gateway8x64) loaded gateway --publishers 8 --pipeline 64 -- "$redis" "$hubsub" "$nats" ;;
	patterns) loaded patterns -- "$redis" "$hubsub" "$nats" ;;
	# With a generator that never sleeps: "Who wakes whom" in bench/doc.go.
	room-spin | rooms-spin | gateway-spin) loaded "${row%-spin}" --spin -- "$redis" "$hubsub" "$nats" ;;
	# Memory. Twelve seconds each, and hardly different from one time to the next.
	idle) (pairs=$((pairs < 3 ? pairs : 3)) && versus idle -- "$redis" "$hubsub" "$nats") ;;

	# HubSub against itself. Loops share one CPU here: this is what more of them cost, not what they bring.
	patterns-none) loaded patterns -- "none[patterns=0]=$hubsub_command 1" "$hubsub" ;;
	resp-room | resp-rooms) loaded "${row#resp-}" -- "RESP2[protocol=resp2]=$hubsub_command 1" \
		"RESP3[protocol=resp3]=$hubsub_command 1" "both[protocol=both]=$hubsub_command 1" ;;
	loops-rooms) loaded rooms -- "$one" "$two" "$four" ;;
	loops-*) loaded "${row#loops-}" -- "$one" "$two" ;;
	unix) loaded rooms -- "TCP=$hubsub_command 1" \
		"Unix socket=hubsub --port 0 --unixsocket {socket} --loglevel warning --loops 1" ;;
	esac
}

for row in ${*:-$rows}; do run "$row"; done

# report makes a page of those rows that there are: ROWS, and the words after "hubsub bench report".
report() {
	of=$1
	shift
	words=$#
	for row in $of; do
		[ ! -e "$results/$row.json" ] || set -- "$@" "$results/$row.json"
	done
	[ $# -gt "$words" ] || return 0
	set -- hubsub bench report "$@"
	show "$@"
	"$@"
}
report "$against_others" --picture "$results/comparison.svg" "$results/comparison.html"
report "$against_itself" "$results/itself.html"
