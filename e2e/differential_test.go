package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// leastExchanges: fewer means that scenarios were lost, not that the test passed.
	leastExchanges = 350
	// agreeLimit is how long HubSub may take to say what Redis said, agreePoll how often it is looked at, and
	// surplusWait how long it has at the end of a scenario to say more than that.
	agreeLimit  = 15 * time.Second
	agreePoll   = 50 * time.Microsecond
	surplusWait = 5 * time.Millisecond
	// shownBytes bounds what a message shows of one stream, shownBefore how much of it before the first difference.
	shownBytes  = 1500
	shownBefore = 200
)

// TestDifferential plays every scenario to Redis and to HubSub and compares all bytes on all connections.
func TestDifferential(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	must(t, err)
	var exchanges, different atomic.Int64
	t.Cleanup(func() { // when the scenarios, which run in parallel, are over
		t.Logf("%d exchanges in %d files, %d not as intended", exchanges.Load(), len(files), different.Load())
		if n := exchanges.Load(); n < leastExchanges && !filtered() {
			t.Errorf("%d exchanges, want at least %d", n, leastExchanges)
		}
	})
	used := map[string]bool{}
	for _, file := range files {
		scenarios, err := readScenarios(file)
		must(t, err)
		for _, sc := range scenarios {
			for _, ex := range sc.exchanges {
				used[ex.differs] = true
			}
			t.Run(sc.file+"/"+sc.title, func(t *testing.T) {
				t.Parallel()
				d := &duel{
					redis:  newSide(t, startRedis(t, sc.serverArgs...), sc.serverArgs),
					hubsub: newSide(t, startHubSub(t, sc.serverArgs...), sc.serverArgs),
				}
				n, bad := d.play(t, sc)
				exchanges.Add(int64(n))
				different.Add(int64(bad))
			})
		}
	}
	for _, d := range differences {
		if !used[d.name] {
			t.Errorf("the difference %q is in the table and in no scenario", d.name)
		}
	}
}

// A duel is one scenario on two servers.
type duel struct {
	redis, hubsub *side
}

// play returns the number of exchanges and how many of them were not as intended.
func (d *duel) play(t *testing.T, sc scenario) (n, bad int) {
	for i := range sc.exchanges {
		ex := &sc.exchanges[i]
		if ex.verb != verbEnd {
			n++
		}
		if err := d.exchange(t, ex); err != nil {
			bad++
			t.Errorf("%s.txt:%d: %s\n%v", sc.file, ex.line, ex.text, err)
		}
	}
	must(t, d.redis.settle(), d.hubsub.settle())
	time.Sleep(surplusWait)
	d.hubsub.drain()
	if err := d.compare(&exchange{}, d.redis.peek); err != nil {
		bad++
		t.Errorf("%s.txt: surplus at the end of %q\n%v", sc.file, sc.title, err)
	}
	return n, bad
}

// exchange plays one exchange to both servers and returns what is wrong with it.
func (d *duel) exchange(t *testing.T, ex *exchange) error {
	if ex.verb == verbEnd {
		for _, s := range []*side{d.redis, d.hubsub} {
			if st := s.streams[ex.conn]; st == nil || !st.ended {
				return fmt.Errorf("%s has not closed it", s.srv.name)
			}
		}
		return nil
	}
	defer d.redis.discard()
	defer d.hubsub.discard()
	if err := d.redis.play(ex); err != nil {
		return err
	}
	if err := d.redis.settle(); err != nil {
		return err
	}
	if testing.Verbose() {
		t.Logf("%s\n%s", ex.text, d.redis.transcript())
	}
	if err := d.hubsub.play(ex); err != nil {
		return err
	}
	return d.judge(ex)
}

// judge waits for HubSub's part and says what is wrong with it.
func (d *duel) judge(ex *exchange) error {
	redisSaid := d.redis.peek
	if ex.differs == "" {
		return d.agree(ex, redisSaid)
	}
	if !slices.ContainsFunc(differences, func(x difference) bool { return x.name == ex.differs }) {
		return fmt.Errorf("%q is not in the table of differences", ex.differs)
	}
	if ex.answers != nil {
		own := func(name string) []byte { return ex.answers[name] }
		if err := d.agree(ex, own); err != nil {
			return fmt.Errorf("not HubSub's own answer (%s):\n%w", ex.differs, err)
		}
	} else if err := d.awaitReply(ex.conn); err != nil {
		return err
	}
	if d.compare(ex, redisSaid) == nil {
		return fmt.Errorf("no difference any more: %s", ex.differs)
	}
	return nil
}

// agree waits until HubSub has said what is wanted on every connection, and returns the difference that is left.
func (d *duel) agree(ex *exchange, want func(name string) []byte) error {
	giveUp := time.Now().Add(agreeLimit)
	err := d.compare(ex, want)
	for err != nil && time.Now().Before(giveUp) {
		time.Sleep(agreePoll)
		if d.hubsub.drain() > 0 {
			err = d.compare(ex, want)
		}
	}
	return err
}

// awaitReply waits until HubSub has given one whole reply.
func (d *duel) awaitReply(conn string) error {
	for giveUp := time.Now().Add(agreeLimit); time.Now().Before(giveUp); time.Sleep(agreePoll) {
		d.hubsub.drain()
		if whole, rest := replies(d.hubsub.peek(conn)); len(whole) == 1 && len(rest) == 0 {
			return nil
		}
	}
	return fmt.Errorf("no whole reply: %s", shown(d.hubsub.peek(conn), 0))
}

// compare compares, connection by connection, what HubSub said with what is wanted, volatile parts apart.
func (d *duel) compare(ex *exchange, want func(name string) []byte) error {
	var diffs []string
	for _, name := range slices.Sorted(maps.Keys(d.redis.streams)) {
		w, g := want(name), d.hubsub.peek(name)
		if !bytes.Equal(normalise(ex.text, w), normalise(ex.text, g)) {
			from := max(0, agreed(w, g)-shownBefore)
			diffs = append(diffs, fmt.Sprintf("    %s want %s\n    %s got  %s", name, shown(w, from), name, shown(g, from)))
		}
	}
	if diffs == nil {
		return nil
	}
	return errors.New(strings.Join(diffs, "\n"))
}

// transcript shows what arrived on the open connections.
func (s *side) transcript() string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		if b := s.peek(name); len(b) > 0 {
			lines = append(lines, fmt.Sprintf("    %s %s", name, shown(b, 0)))
		}
	}
	return strings.Join(lines, "\n")
}

// agreed is the number of bytes that two streams begin with alike.
func agreed(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// shown quotes a stream from there on, of a long one a part.
func shown(b []byte, from int) string {
	part := b[min(from, len(b)):]
	part = part[:min(len(part), shownBytes)]
	if len(part) == len(b) {
		return fmt.Sprintf("%q", b)
	}
	return fmt.Sprintf("%d bytes, from %d on %q", len(b), from, part)
}

// filtered: some scenarios were chosen with -run, so their number says nothing.
func filtered() bool { return strings.Contains(flag.Lookup("test.run").Value.String(), "/") }
