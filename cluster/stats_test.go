package cluster

import (
	"reflect"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// What a node counts is what happens, and never goes back while it lives again
// and again.
func TestStats(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		r := w.resident()
		r.join = []string{"10.0.0.2:7000", r.address}
		r.start()
		s := r.node.Stats()
		if s.Member || s.KnowsLeader || s.Lives != 1 || len(s.Members) != 0 || s.Generation != 0 || s.Control.Dropped == nil || s.Port.Refused == nil {
			t.Errorf("before it has a cluster: %+v", s)
		}
		other := w.resident()
		other.join = r.join
		other.start()
		w.await("two", func() bool { return w.agree(2) })
		for _, room := range []string{"a", "b", "c"} {
			r.place(room)
		}
		time.Sleep(5 * time.Second)
		s = r.node.Stats()
		if s.Members[placement.Up] != 2 || !s.Member || !s.KnowsLeader || s.Generation == 0 || s.Rooms != 3 || s.Hosted != 3 || s.Waiting != 0 {
			t.Errorf("of two nodes with three rooms: %+v", s)
		}
		one, two := r.node.Stats(), other.node.Stats()
		if one.Leads == two.Leads || one.Voter == two.Voter || one.Consensus.Applied == 0 || one.Control.Sent == 0 || one.Gossip.PacketsSent == 0 {
			t.Errorf("one is %+v,\nthe other %+v", one, two)
		}

		// The next lives: the cluster has given this one up.
		last := r.node.Stats()
		for lives := int64(2); lives < 5; lives++ {
			l := r.node.life.Load()
			forsake(l, other.address)
			for r.node.life.Load() == l {
				time.Sleep(time.Millisecond)
				now := r.node.Stats()
				if what := back(reflect.ValueOf(last.Counts), reflect.ValueOf(now.Counts)); what != "" {
					t.Fatalf("%s goes back from %+v to %+v", what, last, now)
				}
				last = now
			}
			now := r.node.Stats()
			if what := back(reflect.ValueOf(last.Counts), reflect.ValueOf(now.Counts)); what != "" || now.Lives != lives {
				t.Fatalf("%s goes back from %+v to %+v", what, last, now)
			}
			if now.Control.Peers != 0 || now.Control.Outbox != 0 {
				t.Errorf("peers of an ended life: %+v", now.Control)
			}
			last = now
			w.await("two again", func() bool { return w.agree(2) })
		}
	})
}

// back returns which counter is less than it was; what is as of now may be.
func back(was, is reflect.Value) string {
	switch was.Kind() {
	case reflect.Struct:
		for i := range was.NumField() {
			name := was.Type().Field(i).Name
			if name == "Peers" || name == "Connected" || name == "Outbox" {
				continue
			}
			if what := back(was.Field(i), is.Field(i)); what != "" {
				return name + what
			}
		}
	case reflect.Map:
		for of, n := range was.Seq2() {
			if what := back(n, is.MapIndex(of)); what != "" {
				return " " + of.String()
			}
		}
	case reflect.Int64:
		if is.Int() < was.Int() {
			return " "
		}
	case reflect.Uint64:
		if is.Uint() < was.Uint() {
			return " "
		}
	}
	return ""
}

// Everything is added, maps that are not there too, and nothing that is as of
// now.
func TestCountsAdd(t *testing.T) {
	one := Counts{}
	fill(reflect.ValueOf(&one).Elem())
	one.Control.Dropped = map[string]int64{"full": 1}
	sum := Counts{}
	for range 3 {
		sum.add(one)
	}
	sum.Control.Peers, sum.Control.Connected, sum.Control.Outbox = 3, 3, 3
	sum.Links.Peers, sum.Links.Connected = 3, 3
	want := Counts{}
	for range 3 {
		fill(reflect.ValueOf(&want).Elem())
	}
	want.Control.Dropped = map[string]int64{"full": 3}
	if !reflect.DeepEqual(sum, want) {
		t.Errorf("got  %+v\nwant %+v", sum, want)
	}
}

// fill adds 1 to each number.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	}
}

// A message of an earlier leader changes nothing, and is counted; so is one to
// somebody of whom nobody knows where it is.
func TestOrdersAreCounted(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		room := nodes[0].place("r")
		for _, r := range nodes {
			l := r.node.life.Load()
			before := r.node.Stats().Orders
			l.receive("stranger/1", placement.Drop{Room: "r", Epoch: placement.Epoch{Generation: 1 << 31}})
			l.receive("stranger/1", placement.Roster{})
			l.mu.Lock()
			l.send("stranger/1", placement.Leave{})
			l.mu.Unlock()
			after := r.node.Stats().Orders
			want := OrderStats{OldTerms: before.OldTerms + 1, OldEpochs: before.OldEpochs + 1, NoAddress: before.NoAddress + 1}
			if after != want {
				t.Errorf("%+v, want %+v", after, want)
			}
		}
		if !w.agree(3) || !reflect.DeepEqual(nodes[1].place("r"), room) {
			t.Error("something has changed")
		}
	})
}
