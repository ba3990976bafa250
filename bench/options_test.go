package bench

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, line string) (*options, error) {
	t.Helper()
	name, rest, _ := strings.Cut(line, " ")
	s, ok := shapeNamed(name)
	if !ok {
		t.Fatalf("no shape %q", name)
	}
	return parseOptions(s, strings.Fields(rest), io.Discard)
}

func TestOptionsAccepted(t *testing.T) {
	f := func(line string, want func(o *options) bool) {
		t.Helper()
		o, err := parse(t, line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		} else if !want(o) {
			t.Errorf("%s: got %+v", line, o)
		}
	}
	f("pingpong --addr 127.0.0.1:1", func(o *options) bool {
		return o.shape.rooms == 1 && o.shape.subscribers == 1 && o.shape.pipeline == 1 && o.size == defaultPayload
	})
	f("room --addr 127.0.0.1:1", func(o *options) bool { return o.shape.subscriptions() == 1000 })
	f("rooms --addr 127.0.0.1:1", func(o *options) bool { return o.shape.subscriptions() == 1000 && o.shape.rooms == 100 })
	f("gateway --addr 127.0.0.1:1", func(o *options) bool { return o.shape.subscriptions() == 20 && o.shape.rooms == 5000 })
	f("patterns --addr 127.0.0.1:1", func(o *options) bool {
		return o.shape.patterns == 10_000 && o.shape.patternConnections == 10
	})
	f("mixed --start x", func(o *options) bool { return o.shape.wanderers > 0 && o.protocol == "both" })
	f("cluster --addr a:1,b:2,unix:/c --pid 1,2", func(o *options) bool {
		return len(o.addresses) == 3 && len(o.processes) == 2 && o.paceOver(3).rate == 750 && o.shape.totalOrder && o.shape.idleCPU
	})
	f("cluster --addr a:1,b:2 --rate 100", func(o *options) bool { return o.paceOver(2).rate == 100 })
	f("room --addr a:1", func(o *options) bool { return o.paceOver(1).rate == 0 })
	f("idle --addr 127.0.0.1:1 --pid 1", func(o *options) bool { return o.shape.subscriptions() == 9000 })
	f("room --addr 127.0.0.1:1 --subscribers 5 --publishers 2 --pipeline 3 --size 100 --rate 50 --duration 1s --protocol resp3",
		func(o *options) bool {
			return o.shape.subscribers == 5 && o.shape.publishers == 2 && o.shape.pipeline == 3 && o.size == 100 &&
				o.pace.rate == 50 && o.pace.duration == time.Second && o.protocol == "resp3"
		})
	f("room --vs a=x --vs b=y=z", func(o *options) bool {
		return len(o.versus) == 2 && reflect.DeepEqual(o.versus[1], contender{name: "b", command: "y=z"}) && o.pairs == 5
	})
}

func TestOptionsRefused(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if _, err := parse(t, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
	f("room", "one of --addr")
	f("room --addr 127.0.0.1:1 --start x", "one of --addr")
	f("room --vs a=x", "twice")
	f("room --vs a=x --vs b=x --vs a=y", "name of its own")
	f("room --vs a", "NAME=COMMAND")
	f("room --start x --pid 1", "--pid goes with")
	f("room --start x --spin --server-cpu 0 --generator-cpu 0", "--spin takes a whole CPU")
	f("room --addr localhost", "-addr: address \"localhost\"")
	f("room --addr 127.0.0.1:1 more", "unexpected")
	f("room --addr 127.0.0.1:1 --size 23", "--size")
	f("room --addr 127.0.0.1:1 --subscribers 0", "--subscribers")
	f("room --addr 127.0.0.1:1 --rooms 0", "--rooms")
	f("room --addr 127.0.0.1:1 --publishers 0", "--publishers")
	f("room --addr 127.0.0.1:1 --pipeline 0", "--pipeline")
	f("room --addr 127.0.0.1:1 --subscribers 30000", "connections")
	f("room --addr 127.0.0.1:1 --rate -1", "--rate")
	f("room --addr 127.0.0.1:1 --rate NaN", "--rate")
	f("room --addr 127.0.0.1:1 --rate 0.3", "less than one publish in 3s")
	f("room --vs a=x --vs b[rate=1e-12]=y", "--vs b: --rate")
	f("room --addr 127.0.0.1:1 --duration 0", "--duration")
	f("room --addr 127.0.0.1:1 --duration 11m", "at most")
	f("patterns --addr 127.0.0.1:1 --pattern-connections 0", "--pattern-connections")
	f("room --start x --pairs 0", "--pairs")
	f("room --start x --report /no/such/folder/page.html", "--report")

	f("room --start x --report "+t.TempDir(), "is a folder")

	f("room --start x --protocol telnet", "--protocol")
	f("room --addr unix: ", "address")
	f("room --addr h:1,h", "address")
	f("room --addr h:1 --pid 0", "no pid")
	f("room --vs a=x --vs b[x=1]=y", `no option "x"; there are pipeline, protocol, publishers, rate, rooms, size, subscribers, wanderers`)
	f("room --vs a=x --vs b[rooms=x]=y", "--vs b: rooms=x")
	f("room --vs a=x --vs b[rooms=0]=y", "--vs b: --rooms")
	f("room --vs a=x --vs b[rooms=1=y", "no ]")
	f("room --vs a=x --vs =y", "NAME=")
	f("room --start x --wanderers -1", "--wanderers")
	f("mixed --start x --gateways -1", "--gateways")
}

// A wrong flag is told in one line; -h alone lists the flags.
func TestFlagErrorIsShort(t *testing.T) {
	f := func(arg string, want bool) {
		t.Helper()
		var out strings.Builder
		s, _ := shapeNamed("room")
		if _, err := parseOptions(s, []string{arg}, &out); err == nil || strings.Contains(out.String(), "-subscribers") != want {
			t.Errorf("%s: %v\n%s", arg, err, &out)
		}
	}
	f("--rate=x", false)
	f("--nosuch", false)
	f("-h", true)
}

func TestRateText(t *testing.T) {
	f := func(rate float64, want string) {
		t.Helper()
		if got := rateText(rate); got != want {
			t.Errorf("%v: %q, want %q", rate, got, want)
		}
	}
	f(0.5, "0.5")
	f(33.333, "33.3")
	f(20000, "20,000")
}
