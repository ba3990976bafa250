package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	stormTime  = flag.Duration("storm", 5*time.Second, "how long TestStorm and TestGarbageDifferential last")
	stormStart = flag.Uint64("storm-seed", 0, "what they draw from; 0 for another seed each time")
)

// stormSeed returns the seed of this run and says how to have it again.
func stormSeed(t *testing.T) uint64 {
	seed := *stormStart
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-storm %v -storm-seed %d", *stormTime, seed)
	return seed
}

const (
	stormGuests  = 96 // connections at once that do something to the server, half of them by the Unix socket
	stormPingers = 4  // that get their PONG meanwhile
	pingInterval = time.Millisecond

	// The judges' rooms, again and again until the storm is over.
	judgedRooms     = 8
	judgedResidents = 10
	judgedMessages  = 16
)

// stormArgs bound what a guest can make the server owe it, so that all guests together cannot exhaust the machine.
var stormArgs = []string{"--client-output-buffer-limit", "normal 16mb 0 0 pubsub 16mb 0 0", "--client-query-buffer-limit", "8mb"}

// TestStorm: many guests say all there is to say, and what is not to be said, and behave as nobody should. Meanwhile
// rooms get every message once and in order, and PING is answered. When the guests have left, nothing is left of them.
func TestStorm(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	s := startHubSub(t, slices.Concat(stormArgs, []string{"--unixsocket", socket, "--http", "127.0.0.1:0"})...)
	admin := adminOf(t, s)
	st := newStorm(t, s, socket)
	st.judgeRooms(t, 0) // what a server keeps once it has worked is part of its base
	base := awaitCalm(t, s, admin, vitals{})
	st.rage(t)
	after := awaitCalm(t, s, admin, base)
	t.Logf("before %+v, after %+v", base, after)
	s.stop()
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// storm is one run.
type storm struct {
	s        *server
	socket   string
	seed     uint64
	commands []string // that the server has, as COMMAND LIST tells them, shuffled
	corpus   [][]byte // what the scenarios send
	over     chan struct{}
	sleepers chan struct{} // a place for each guest that does not read

	mu      sync.Mutex
	faults  []error        // of the server, as guests have seen them
	met     map[string]int // how many guests behaved so
	spoken  map[string]int // how often a command was said
	turn    int            // of the commands: the next one that is said
	longest time.Duration  // that a PING took
}

func newStorm(t *testing.T, s *server, socket string) *storm {
	st := &storm{s: s, socket: socket, seed: stormSeed(t), over: make(chan struct{}), sleepers: make(chan struct{}, stormSleepers),
		met: map[string]int{}, spoken: map[string]int{}}
	for _, name := range commandList(t, s) {
		if arguments, known := sayings[name]; !known || arguments != nil {
			st.commands = append(st.commands, name)
		}
	}
	newSpeaker(st.seed, stormGuests).Shuffle(len(st.commands), func(i, j int) {
		st.commands[i], st.commands[j] = st.commands[j], st.commands[i]
	})
	files, err := filepath.Glob("testdata/*.txt")
	must(t, err)
	for _, file := range files {
		st.corpus = append(st.corpus, scenarioBytes(t, file)...)
	}
	return st
}

// rage lets the guests in, and the judges, and returns when the last guest has left.
func (st *storm) rage(t *testing.T) {
	var guests sync.WaitGroup
	rounds := 0
	defer func() {
		close(st.over)
		guests.Wait()
		t.Logf("%d rounds of the judges, the longest PING %v, guests: %v", rounds, st.longest, st.met)
		for _, err := range st.faults[:min(len(st.faults), shownErrors)] {
			t.Error(err)
		}
		if !t.Failed() {
			st.checkVariety(t)
		}
	}()
	for i := range stormGuests {
		guests.Go(func() { st.report(st.visit(newSpeaker(st.seed, i), i)) })
	}
	for range stormPingers {
		guests.Go(func() { st.report(st.ping()) })
	}
	for began := time.Now(); time.Since(began) < *stormTime && st.report(nil) == 0; rounds++ {
		st.judgeRooms(t, stormGuests+stormSleepers)
	}
}

// report keeps an error until the judges have finished, and returns how many there are.
func (st *storm) report(err error) int {
	st.mu.Lock()
	defer st.mu.Unlock()
	if err != nil {
		st.faults = append(st.faults, err)
	}
	return len(st.faults)
}

// checkVariety fails the test if anything was not tried.
func (st *storm) checkVariety(t *testing.T) {
	for _, c := range conducts {
		if st.met[c.name] == 0 {
			t.Errorf("no guest %s", c.name)
		}
	}
	said := slices.Sorted(maps.Keys(st.spoken))
	if missing := slices.DeleteFunc(slices.Clone(st.commands), func(c string) bool { return slices.Contains(said, c) }); len(missing) > 0 {
		t.Errorf("never said: %q", missing)
	}
}

// judgeRooms has all that can happen in rooms happen, and checks it.
func (st *storm) judgeRooms(t *testing.T, strangers int) {
	l := &load{
		s: st.s, rooms: judgedRooms, residents: judgedResidents, messages: judgedMessages, strangers: strangers,
		seed: rand.Uint64(), orders: make([]order, judgedRooms), published: make([]map[uint16]uint32, judgedRooms),
	}
	l.run(t)
	l.judge(t)
}

// ping has each PING answered, within the client's limit.
func (st *storm) ping() error {
	c, err := connect(st.s.addr())
	if err != nil {
		return err
	}
	defer c.close()
	for !st.ended() {
		began := time.Now()
		if err := c.expect("PONG", "PING"); err != nil {
			return fmt.Errorf("a pinger: %w", err)
		}
		took := time.Since(began)
		st.mu.Lock()
		st.longest = max(st.longest, took)
		st.mu.Unlock()
		st.pause(pingInterval)
	}
	return nil
}

func (st *storm) ended() bool {
	select {
	case <-st.over:
		return true
	default:
		return false
	}
}

// pause lets time pass, unless the storm is over.
func (st *storm) pause(d time.Duration) {
	select {
	case <-st.over:
	case <-time.After(d):
	}
}
