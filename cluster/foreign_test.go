package cluster

import (
	"encoding/binary"
	"testing"

	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
)

// alwaysHost is a director in whose cluster a lane may use its rooms.
type alwaysHost struct{}

func (alwaysHost) Ask(string, bool)  {}
func (alwaysHost) Suspect(lane.Peer) {}
func (alwaysHost) Enter(string) bool { return true }
func (alwaysHost) Leave(string)      {}

// owner is a loop that knows which rooms it may publish to by itself.
type owner struct {
	loop
	own map[string]bool
}

func (o *owner) Own(room string, own bool) { o.own[room] = own }

// A pattern of another node is acknowledged when no loop publishes by itself any more, however busy it is.
func TestPatternIsKnownToAllLoops(t *testing.T) {
	lanes := NewLanes(LanesConfig{Loops: 2, Of: func(room []byte, _ int) int { return min(len(room), 1) }, Match: matchGlob, Index: make(index)})
	var loops [2]*owner
	for i := range loops {
		loops[i] = &owner{loop: loop{awake: make(chan struct{}, 1), answers: make(map[uint64]int64)}, own: make(map[string]bool)}
		l := lanes.Attach(i, loops[i])
		l.core = lane.New(lane.Config{Sink: loops[i], Network: l, Director: alwaysHost{}, Foreign: lanes, Match: matchGlob, Start: 7})
		l.core.Tick(lanes.now())
	}
	tick := func(loop int) { lanes.all[loop].Drain(); lanes.all[loop].Flush() }
	other := lanes.peers.of("other/1")
	lanes.all[0].post(letter{do: func(*Lane) { lanes.change(func(p *lane.Patterns) { p.Members([]lane.Peer{other}) }) }})
	announce := func(r lane.Record) {
		r.Type = lane.PatternAnnounce
		lanes.receive("other/1", frame(&r))
	}
	announce(lane.Record{Flags: lane.Reset, Serial: 1})
	for range 3 {
		tick(0)
		tick(1)
	}
	lanes.all[1].core.Opened("r", placement.Epoch{Generation: 1, Index: 1}, []lane.Peer{lane.Self})
	lanes.all[1].core.Interest(0, lane.Channel, []byte("r"), []byte("r"), 1)
	tick(1)
	if !loops[1].own["r"] {
		t.Fatal("the loop does not publish to its room by itself")
	}
	sent := func() int { return lanes.all[0].outgoing[other].n }
	before := sent()
	announce(lane.Record{Serial: 2, Items: []lane.Item{{Kind: lane.Pattern, Name: []byte("*"), Count: 1}}})
	tick(0)
	tick(0)
	if sent() > before {
		t.Error("the pattern is acknowledged, and the other loop has not heard of it")
	}
	tick(1)
	if loops[1].own["r"] {
		t.Error("the other loop publishes by itself, and somebody elsewhere hears the room")
	}
	tick(0)
	if sent() == before {
		t.Error("the pattern is not acknowledged")
	}
}

// frame is a record as links carry it.
func frame(r *lane.Record) []byte {
	b := lane.AppendRecord(nil, r)
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}
