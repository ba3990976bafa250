package gossip

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
)

// newTestView returns a view of some members, among them "self/1" and "a/1".
func newTestView(t *testing.T) *view {
	v := newView("self/1", nil, new(counters))
	for i, name := range []string{"self/1", "a/1", "b/1"} {
		v.NotifyJoin(nodeOf(t, name, i))
	}
	v.take()
	return v
}

func nodeOf(t *testing.T, name string, i int) *memberlist.Node {
	b, err := encodeMeta(placement.Member{Name: placement.Name(name), ID: idOf(placement.Name(name)), Cluster: addressAt(i), Weight: 1})
	if err != nil {
		t.Fatal(err)
	}
	return &memberlist.Node{Name: name, Addr: net.IPv4(10, byte(i>>16), byte(i>>8), byte(i)), Port: 7000, Meta: b}
}

// Of each member the newest report is delivered once, in whichever order they
// come: memberlist hands over the last first.
func TestReports(t *testing.T) {
	v := newTestView(t)
	f := func(what, message string, want ...string) {
		t.Helper()
		buffer := []byte(message)
		if strings.HasPrefix(message, "[") {
			v.MergeRemoteState(buffer, false)
		} else {
			v.read(buffer)
		}
		for i := range buffer {
			buffer[i] = 'x' // memberlist uses it again
		}
		_, reports := v.take()
		got := []string{}
		for _, r := range reports {
			got = append(got, fmt.Sprintf("%s %d %v", r.Node, r.Seq, r.CPU))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	f("the first", `{"node":"a/1","seq":5,"cpu":0.5}`, "a/1 5 0.5")
	f("an older one", `{"node":"a/1","seq":4,"cpu":0.4}`)
	f("the same", `{"node":"a/1","seq":5,"cpu":0.6}`)
	f("a newer one", `{"node":"a/1","seq":6,"cpu":0.6}`, "a/1 6 0.6")
	f("one with fields of a later version", `{"node":"b/1","seq":1,"cpu":1,"mood":"good"}`, "b/1 1 1")
	f("of nobody", `{"node":"c/1","seq":9}`)
	f("a table", `[{"node":"a/1","seq":7},{"node":"c/1","seq":1},{"node":"b/1","seq":1},{"node":"a/1","seq":8}]`, "a/1 8 0")
	f("nonsense", `{"node":`)
	f("a table of nonsense", `[{"node":3}]`)
	f("an empty table", `[]`)
	if c := v.counters; c.reportsBad.Load() != 2 || c.reportsUnknown.Load() != 2 || c.reportsOld.Load() != 3 {
		t.Errorf("%d bad, %d unknown, %d old", c.reportsBad.Load(), c.reportsUnknown.Load(), c.reportsOld.Load())
	}

	// The table goes to others, without those who have said nothing.
	other := newTestView(t)
	other.MergeRemoteState(v.LocalState(false), true)
	_, reports := other.take()
	if len(reports) != 2 || v.members["self/1"].reported {
		t.Errorf("the other one has %v", reports)
	}

	// A member that was lost begins anew.
	v.read([]byte(`{"node":"a/1","seq":9}`))
	v.NotifyLeave(nodeOf(t, "a/1", 1))
	v.NotifyLeave(nodeOf(t, "a/1", 1))
	v.NotifyLeave(nodeOf(t, "self/1", 0))
	if lost, reports := v.take(); !slices.Equal(lost, []placement.Name{"a/1"}) || len(reports) > 0 {
		t.Errorf("lost %v, reports %v", lost, reports)
	}
	v.NotifyJoin(nodeOf(t, "a/1", 1))
	f("who is back", `{"node":"a/1","seq":2,"cpu":0}`, "a/1 2 0")
}

// A member that is not understood is refused, whatever it says.
func TestMeta(t *testing.T) {
	v := newTestView(t)
	f := func(name, meta string, ok bool) {
		t.Helper()
		n := &memberlist.Node{Name: name, Addr: net.IPv4(10, 9, 9, 9), Port: 1, Meta: []byte(meta)}
		if err := v.NotifyAlive(n); (err == nil) != ok {
			t.Errorf("%q, %q: %v", name, meta, err)
		}
		v.NotifyJoin(n)
		if v.alive(placement.Name(name)) != ok {
			t.Errorf("%q, %q: a member: %v", name, meta, !ok)
		}
	}
	f("c/1", ``, false)
	f("c/1", `{}`, false)
	f("c/1", `{"v":1}`, false)
	f("c/1", `{"v":0,"a":"h:1"}`, false)
	f("c/1", `{"v":1,"a":"h:1"`, false)
	f("", `{"v":1,"a":"h:1"}`, false)
	f("c/1", `{"v":1,"a":"h:1"}`, true)
	f("d", `{"v":2,"a":"h:1","w":-1,"new":{}}`, true)
	if v.counters.membersRefused.Load() != 6 {
		t.Errorf("%d refused", v.counters.membersRefused.Load())
	}

	same := func(m placement.Member) {
		t.Helper()
		b, err := encodeMeta(m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeMeta(string(m.Name), b)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(m) {
			t.Errorf("%+v became %+v, %v", m, got, err)
		}
	}
	same(placement.Member{Name: "a:1/0", ID: "a:1", Cluster: "a:1", Weight: 1})
	same(placement.Member{Name: "a/b/0", ID: "a/b", Cluster: "a:1", Clients: []string{"a:2", "b:2"}, Zone: "z", Weight: 640})
	same(placement.Member{Name: "a", ID: "another", Cluster: "a:1", Weight: 1})
	if _, err := encodeMeta(placement.Member{Name: "a/0", Cluster: "a:1", Zone: strings.Repeat("z", metaBytesMax)}); err == nil {
		t.Error("a long zone fits")
	}
}

func FuzzMeta(f *testing.F) {
	f.Add("n/1", []byte(`{"v":1,"a":"h:1","c":["h:2"],"z":"z","w":3}`))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		m, err := decodeMeta(name, b)
		if err == nil && (m.Name == "" || m.Cluster == "" || m.Weight < 1) {
			t.Errorf("%q, %q: %+v", name, b, m)
		}
	})
}

// The addresses of those who died are remembered for a day, and not too many.
func TestPast(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		v := newTestView(t)
		f := func(want int) {
			t.Helper()
			if _, _, past := v.addresses(); len(past) != want {
				t.Errorf("%d addresses, want %d", len(past), want)
			}
		}
		die := func(i int) {
			n := nodeOf(t, fmt.Sprintf("n%d/1", i), i)
			v.NotifyJoin(n)
			time.Sleep(time.Second)
			v.NotifyLeave(n)
		}
		f(0)
		for i := range pastMax {
			die(10 + i)
		}
		f(pastMax)
		die(1000)
		f(pastMax)
		_, _, past := v.addresses()
		if slices.Contains(past, addressOf(nodeOf(t, "", 10))) || !slices.Contains(past, addressOf(nodeOf(t, "", 11))) {
			t.Error("it is not the oldest that was forgotten")
		}
		v.NotifyJoin(nodeOf(t, "another/1", 11))
		f(pastMax - 1)
		time.Sleep(pastFor)
		f(1)
		time.Sleep(time.Second)
		f(0)
		die(11)
		if len(v.past) != 1 {
			t.Errorf("%d addresses are kept", len(v.past))
		}
	})
}
