#!/bin/sh
# Takes CPU profiles of the server under the bench's loads and merges them into default.pgo, by which "go build"
# optimizes. With names of shapes (the table below), only those are taken again. Ten seconds per shape; needs two CPUs.
#
# The server is built without a profile: one taken of an optimized server would lack the calls that were inlined away.
# The bench starts it on CPU 0 with a free port, loads it from CPU 1 and ends it; it dies with the bench, however that
# ends. So ending the bench is all that an interrupted run has to do.
set -eu
cd "$(dirname "$0")/.."

# NAME, LOOPS, and the words after "hubsub bench".
shapes='
pingpong 1 pingpong
pingpong128 1 pingpong --pipeline 128
room 1 room
room64 1 room --pipeline 64
rooms 1 rooms
gateway 1 gateway
gateway8x64 1 gateway --publishers 8 --pipeline 64
patterns 1 patterns
mixed 1 mixed
room-resp3 1 room --protocol resp3
rooms-loops2 2 rooms
'
profile_seconds=5 # 500 samples of a busy core
load_seconds=8    # the profile, and room for its beginning and its end
limit_seconds=30  # a bench that takes longer is ended

fail() { echo "profiles/take.sh: $*" >&2; exit 1; }
for tool in go git curl timeout; do
	command -v $tool >/dev/null || fail "no $tool: install it"
done
lines() { echo "$shapes" | sed '/^$/d'; }
names=$(lines | cut -d' ' -f1)
for name in "$@"; do
	echo "$names" | grep -qxF -e "$name" || fail "no shape $name; there are" $names
done

work=$(mktemp -d)
bench=""
clean() {
	if [ -n "$bench" ]; then kill "$bench" 2>/dev/null || true; wait "$bench" || true; fi
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

CGO_ENABLED=0 go build -trimpath -pgo=off -o "$work/hubsub" .
commit=$(git rev-parse --short HEAD)
git diff --quiet HEAD -- '*.go' go.mod || commit="$commit, changed"

# address prints where the server that runs serves its profiles.
address() { sed -n 's/.*level=notice msg="serving metrics.* http=//p' "$work/server.log"; }

# await_load returns when the server has been published to.
await_load() {
	for _ in $(seq 100); do
		curl -s -m 5 "http://$(address)/metrics" | grep -q '^hubsub_messages_published_total [1-9]' && return
		kill -0 "$bench" 2>/dev/null || break
		sleep 0.1
	done
	return 1
}

# take profiles one shape: NAME LOOPS WORDS...
take() {
	name=$1 loops=$2
	shift 2
	echo "hubsub bench $*, $loops of the server's loops"
	: >"$work/server.log"
	timeout $limit_seconds "$work/hubsub" bench "$@" --duration ${load_seconds}s --start \
		"$work/hubsub --port {port} --loops $loops --http 127.0.0.1:0 --logfile $work/server.log" >"$work/bench.txt" 2>&1 &
	bench=$!
	await_load || fail "$name: no load: $(cat "$work/bench.txt")"
	curl -sSf -m $limit_seconds -o "$work/$name.pprof" "http://$(address)/debug/pprof/profile?seconds=$profile_seconds" ||
		fail "$name: no profile: $(cat "$work/bench.txt")"
	kill -0 "$bench" 2>/dev/null || fail "$name: the load ended before the profile"
	wait "$bench" || fail "$name: $(cat "$work/bench.txt")"
	bench=""
	mv "$work/$name.pprof" profiles/
	echo "| $name | \`hubsub bench $*\` | $loops | $(sed -n 's/^CPU per delivery *//p' "$work/bench.txt") |" \
		"$(date -u +%F) | $commit |" >"$work/$name.row"
}

# rows prints the table's rows: the new ones, and the old ones of shapes that were not taken.
rows() {
	for name in $names; do
		cat "$work/$name.row" 2>/dev/null || grep "^| $name |" profiles/README.md 2>/dev/null || true
	done
}

lines | while read -r name rest; do
	case " ${*:-$name} " in *" $name "*) echo "$name $rest" ;; esac
done >"$work/wanted"
while read -r line <&3; do
	take $line
done 3<"$work/wanted"

rows >"$work/rows"
cat >"$work/README.md" <<END
# Profiles

CPU profiles of the server under load, ${profile_seconds} s each. \`../default.pgo\` is all of them merged; \`go build\` finds it there
and optimizes by it what they show to be hot. \`make profiles\` takes them again, after changes to the data plane;
\`profiles/take.sh room gateway\` only some.

The server ran on CPU 0, the bench on CPU 1, both built without a profile. Being profiled is part of the cost shown.

Machine of the last ones taken: $(sed -n 's/^machine *//p' "$work/bench.txt"); $(go version | cut -d' ' -f3,4).

| shape | load | loops | CPU per delivery | date | commit |
|---|---|---|---|---|---|
$(cat "$work/rows")
END
mv "$work/README.md" profiles/README.md
go tool pprof -proto profiles/*.pprof >"$work/default.pgo" 2>"$work/merge.txt" ||
	fail "cannot merge: $(cat "$work/merge.txt")"
mv "$work/default.pgo" .
