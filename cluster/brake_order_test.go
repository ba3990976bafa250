package cluster

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
)

// nowhere is a director that knows of no room but those that the lane was told of.
type nowhere struct{}

func (nowhere) Ask(string, bool)  {}
func (nowhere) Suspect(lane.Peer) {}
func (nowhere) Enter(string) bool { return true }
func (nowhere) Leave(string)      {}

// aloneLane returns a lane whose node knows no cluster: what it sends stays in its buffers.
func aloneLane() (*Lane, *loop) {
	lanes := newLanes()
	p := &loop{awake: make(chan struct{}, 1), answers: make(map[uint64]int64)}
	l := lanes.Attach(0, p)
	l.core = lane.New(lane.Config{Sink: p, Network: l, Director: nowhere{}, Foreign: lanes, Match: matchGlob, Start: 7})
	l.core.Tick(lanes.now())
	return l, p
}

// wired returns a record as links bring it.
func wired(r lane.Record) []byte {
	b := lane.AppendRecord(nil, &r)
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...)
}

// waiting returns the types and serials of what leaves for a node at the next flush.
func (l *Lane) waiting(t *testing.T, to lane.Peer) (all []string) {
	for rest := l.outgoing[to].records; len(rest) > 0; {
		size, n := binary.Uvarint(rest)
		var r lane.Record
		if err := lane.ParseRecord(rest[n:n+int(size)], &r); err != nil {
			t.Fatal(err)
		}
		rest = rest[n+int(size):]
		all = append(all, fmt.Sprintf("%v %d", map[lane.Type]string{lane.Ordered: "ordered", lane.Refuse: "refuse"}[r.Type], r.Serial))
	}
	return all
}

// A room moves while the answer to a publish waits: the refusal of the next one must not come before it. Its publisher would
// take both as refused, and send both again.
func TestRefusalWaitsForAnswer(t *testing.T) {
	l, _ := aloneLane()
	peers := l.lanes.peers
	publisher, slow, other := peers.of("publisher/1"), peers.of("slow/1"), peers.of("other/1")
	epoch := func(i uint64) placement.Epoch { return placement.Epoch{Generation: 1, Index: i} }
	room := []byte("r")
	l.core.Opened("r", epoch(1), []lane.Peer{lane.Self})
	l.read(slow, wired(lane.Record{Type: lane.Announce, Flags: lane.Reset, Room: room, Serial: 1, Items: []lane.Item{{Kind: lane.Channel, Name: room, Count: 1}}}))
	l.put(slow, make([]byte, outgoingMin/2+1), false) // it does not keep up
	publish := func(serial uint64) {
		l.read(publisher, wired(lane.Record{Type: lane.Publish, Room: room, Serial: serial, Attempt: 1, Channel: room, Message: []byte("m")}))
	}
	publish(1)
	publish(2)
	l.core.Opened("r", epoch(2), []lane.Peer{other, lane.Self})
	publish(3)
	l.release(l.lanes.now())
	if got, want := l.waiting(t, publisher), []string{"ordered 1"}; !slices.Equal(got, want) {
		t.Errorf("at once leave %q, want %q", got, want)
	}
	l.release(l.lanes.now() + brakeTime)
	if got, want := l.waiting(t, publisher), []string{"ordered 1", "ordered 2", "refuse 3"}; !slices.Equal(got, want) {
		t.Errorf("leave %q, want %q", got, want)
	}
	if l.brake.waits(publisher) {
		t.Error("something waits yet")
	}
}

// An answer for which there was no room leaves before those that came later: whoever is told 6 takes it that 5 is lost.
func TestStuckAnswersStayInOrder(t *testing.T) {
	l := &Lane{lanes: &Lanes{began: time.Now()}} // without links there is outgoingMin
	now := time.Second
	ordered := func(to lane.Peer, serial uint64, due time.Duration) {
		l.brake.hold(lateAnswer{due: due, to: to, record: lane.AppendRecord(nil, &lane.Record{Type: lane.Ordered, Room: []byte("r"), Serial: serial})})
	}
	flush := func(to lane.Peer) { l.outgoing[to].records = nil }
	l.put(1, make([]byte, outgoingMin), true)
	ordered(1, 5, now)
	ordered(2, 1, now)
	ordered(1, 6, now+stuckRetry/2)
	l.release(now)
	if got := l.waiting(t, 2); !slices.Equal(got, []string{"ordered 1"}) {
		t.Errorf("to the other node leaves %q", got)
	}
	flush(1)
	l.release(now + stuckRetry/2)
	if next := l.brake.next(); next > now+stuckRetry {
		t.Errorf("the next is due at %v", next)
	}
	l.release(now + stuckRetry)
	if got, want := l.waiting(t, 1), []string{"ordered 5", "ordered 6"}; !slices.Equal(got, want) {
		t.Errorf("leave %q, want %q", got, want)
	}
	if l.brake.waits(1) || l.brake.next() != never {
		t.Error("something waits yet")
	}
}
