package bench

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseContender(t *testing.T) {
	f := func(text string, want contender) {
		t.Helper()
		if got, err := parseContender(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	f("a=x", contender{name: "a", command: "x"})
	f("a=x --y=z", contender{name: "a", command: "x --y=z"})
	f("a=x:1 y:2", contender{name: "a", command: "x:1 y:2"})
	f("a=h:1", contender{name: "a", addresses: []string{"h:1"}})
	f("a=h:1,[::1]:2,unix:/s", contender{name: "a", addresses: []string{"h:1", "[::1]:2", "unix:/s"}})
	f("a=./run,fast", contender{name: "a", command: "./run,fast"})
	f("a[patterns=0]=x", contender{name: "a", command: "x", settings: []string{"patterns=0"}})
	f("a[rate=5,protocol=both]=h:1", contender{name: "a", addresses: []string{"h:1"}, settings: []string{"rate=5", "protocol=both"}})
	f("a=x [b=c]", contender{name: "a", command: "x [b=c]"})
}

func TestContenderOptions(t *testing.T) {
	o, err := parse(t, "patterns --rate 70 --vs a=x --vs b[patterns=0,protocol=resp3,rate=50,size=100]=x")
	if err != nil {
		t.Fatal(err)
	}
	a, err := o.optionsOf(o.versus[0])
	if err != nil || a.shape.patterns != 10_000 || a.pace.rate != 70 || a.protocol != "" || a.size != defaultPayload {
		t.Errorf("a: %+v, %v", a, err)
	}
	b, err := o.optionsOf(o.versus[1])
	if err != nil || b.shape.patterns != 0 || b.pace.rate != 50 || b.protocol != "resp3" || b.size != 100 {
		t.Errorf("b: %+v, %v", b, err)
	}
	if o.shape.patterns != 10_000 || o.pace.rate != 70 {
		t.Errorf("the run's own options became %+v", o)
	}
}

// One server with and without a load of its own, the second running already.
func TestRunVersusMixture(t *testing.T) {
	running := startRedis(t)
	var out strings.Builder
	code := Run(t.Context(), []string{"patterns", "--rooms", "2", "--duration", "50ms", "--warmup", "0s", "--pairs", "1",
		"--server-cpu", "-1", "--generator-cpu", "-1", "--vs", "plain[patterns=0,protocol=both]=" + redisCommand,
		"--vs", "many[patterns=50]=" + running.addresses[0]}, &out, &out)
	if code != exitOK || !strings.Contains(out.String(), "many / plain, 1 pair") {
		t.Fatalf("exit code %d:\n%s", code, &out)
	}
	// The processes of the running one were found: there is a ratio of CPU times.
	if _, ratios, _ := strings.Cut(out.String(), "many / plain"); !strings.Contains(ratios, "CPU per delivery") {
		t.Errorf("no CPU time in\n%s", &out)
	}
}
