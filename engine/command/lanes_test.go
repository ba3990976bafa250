package command

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
	"hubsub/engine/glob"
)

// metropolis is what lanes are to a node of a cluster, in one process: it orders
// messages, late if it is told to, refuses what it is told to, and remembers who
// said they hear what.
type metropolis struct {
	t     testing.TB
	lanes []*lane
	hook  func(l *lane, channel string) // called with each question; may be nil
	delay atomic.Int64                  // ns that a question takes at the most; 0: answered in the call

	mu       sync.Mutex
	held     map[string]bool        // rooms whose questions wait
	refused  map[string]engine.Code // channels
	granted  map[string]int64       // interest, by kind and name
	foreign  map[string]int64       // subscribers elsewhere, by name
	messages map[string][]string    // what each room was given past the owner, in order
	asked    map[string]int         // questions by room
}

// lane is one loop's. Its questions wait in the order of their rooms.
type lane struct {
	city  *metropolis
	id    int
	sink  engine.Sink
	queue map[string][]question // by room
	dirty bool                  // something was said since the last Flush

	mu     sync.Mutex
	orders []func() // what the test has the lane do
}

type question struct {
	due    time.Time
	answer func()
}

func newMetropolis(t testing.TB) *metropolis {
	return &metropolis{
		t: t, held: make(map[string]bool), refused: make(map[string]engine.Code), granted: make(map[string]int64),
		foreign: make(map[string]int64), messages: make(map[string][]string), asked: make(map[string]int),
	}
}

// serveLanes starts a server with so many loops in the city.
func serveLanes(t testing.TB, loops int, city *metropolis, change ...func(*engine.Config)) *site {
	t.Helper()
	city.lanes = make([]*lane, loops)
	return serveConfig(t, newTown(), "", func(c *engine.Config) {
		c.Loops = loops
		c.Lanes = func(loop, loops int, s engine.Sink) engine.Lane {
			city.lanes[loop] = &lane{city: city, id: loop, sink: s, queue: make(map[string][]question)}
			return city.lanes[loop]
		}
		for _, f := range change {
			f(c)
		}
	})
}

func (m *metropolis) laneOf(room string) *lane {
	return m.lanes[engine.LaneOf([]byte(room), len(m.lanes))]
}

// do has a room's lane do something, and waits for it.
func (m *metropolis) do(room string, f func(s engine.Sink)) {
	l, done := m.laneOf(room), make(chan struct{})
	l.mu.Lock()
	l.orders = append(l.orders, func() { f(l.sink); close(done) })
	l.mu.Unlock()
	l.sink.Wake()
	select {
	case <-done:
	case <-time.After(patience):
		m.t.Error("a lane does not drain")
	}
}

func (m *metropolis) own(room string, own bool) {
	m.do(room, func(s engine.Sink) { s.Own(room, own) })
}

// hold makes questions about a room wait, until release.
func (m *metropolis) hold(room string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held[room] = true
}

func (m *metropolis) release(room string) {
	m.mu.Lock()
	delete(m.held, room)
	m.mu.Unlock()
	m.laneOf(room).sink.Wake()
}

// refuse has questions about a channel answered with a code; Done ends that.
func (m *metropolis) refuse(channel string, code engine.Code) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused[channel] = code
}

// hears adds subscribers elsewhere.
func (m *metropolis) hears(channel string, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.foreign[channel] += n
}

// got returns what a room was given past its owner, in order.
func (m *metropolis) got(room string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.messages[room])
}

// questions returns how many there were about a room.
func (m *metropolis) questions(room string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[room]
}

// waiting returns how many questions about a room wait.
func (m *metropolis) waiting(room string) (n int) {
	m.do(room, func(engine.Sink) { n = len(m.laneOf(room).queue[room]) })
	return n
}

// awaits waits until so many questions about a room wait.
func (m *metropolis) awaits(room string, n int) {
	m.t.Helper()
	for end := time.Now().Add(patience); m.waiting(room) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("%d questions about %s wait, want %d", m.waiting(room), room, n)
		}
	}
}

// interest returns what is not zero, as "kind name: n".
func (m *metropolis) interest() (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, n := range m.granted {
		if n != 0 {
			all = append(all, fmt.Sprintf("%s: %d", name, n))
		}
	}
	slices.Sort(all)
	return all
}

// wantInterest waits until the interest is that, "kind name: n" each.
func (m *metropolis) wantInterest(want ...string) {
	m.t.Helper()
	for end := time.Now().Add(patience); !slices.Equal(m.interest(), want); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("the interest is %q, want %q", m.interest(), want)
		}
	}
}

func interestIn(kind engine.Kind, name []byte) string { return fmt.Sprintf("%d %s", kind, name) }

// count returns how many clients a message to a channel reaches. The caller
// holds mu.
func (m *metropolis) count(kind engine.Kind, channel []byte) (n int64) {
	n = m.granted[interestIn(kind, channel)] + m.foreign[string(channel)]
	if kind != engine.Channel {
		return n
	}
	for name, patterns := range maps.All(m.granted) {
		if pattern, ok := strings.CutPrefix(name, interestIn(engine.Pattern, nil)); ok && glob.Match([]byte(pattern), channel) {
			n += patterns
		}
	}
	return n
}

// ask has a question answered when its time has come, and those about the same
// room before it are.
func (l *lane) ask(room string, answer func()) {
	m := l.city
	m.mu.Lock()
	m.asked[room]++
	waits := m.held[room]
	m.mu.Unlock()
	due, before := time.Now(), l.queue[room]
	if delay := m.delay.Load(); delay > 0 {
		waits = true
		due = due.Add(time.Duration(rand.Int64N(delay)))
	}
	if n := len(before); n > 0 { // what came together is answered together
		waits = true
		due = before[n-1].due
	}
	if !waits {
		answer()
		return
	}
	l.queue[room] = append(before, question{due, answer})
}

// verdict is what a question about a channel is answered with.
func (m *metropolis) verdict(channel string) engine.Code {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused[channel]
}

func (l *lane) Publish(tag uint64, kind engine.Kind, room, channel, message []byte) int64 {
	l.check(kind, room, channel)
	m := l.city
	in, name, text := string(room), slices.Clone(channel), slices.Clone(message)
	result, inside := int64(-1), true
	l.ask(in, func() {
		code := m.verdict(string(name))
		m.mu.Lock()
		n := m.count(kind, name)
		if code == engine.Done {
			m.messages[in] = append(m.messages[in], string(text))
		}
		m.mu.Unlock()
		switch {
		case code != engine.Done:
			l.sink.Answer(tag, code, 0)
			return
		case inside:
			result = n
		default:
			l.sink.Answer(tag, engine.Done, n)
		}
		l.sink.Deliver(kind, []byte(in), name, text)
		clear(text) // the engine has its own
	})
	inside = false
	return result
}

func (l *lane) Interest(tag uint64, kind engine.Kind, room, channel []byte, delta int) {
	l.check(kind, room, channel)
	m := l.city
	in, name := string(room), slices.Clone(channel)
	change := func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.granted[interestIn(kind, name)] += int64(delta)
		if m.granted[interestIn(kind, name)] < 0 {
			m.t.Errorf("the interest in %q is negative", name)
		}
	}
	if delta < 0 {
		change()
	}
	l.ask(in, func() {
		code := m.verdict(string(name))
		if delta > 0 && code == engine.Done {
			change()
		}
		l.sink.Answer(tag, code, 0)
	})
}

func (l *lane) Count(tag uint64, kind engine.Kind, room, channel []byte) {
	l.check(kind, room, channel)
	m := l.city
	name := slices.Clone(channel)
	l.ask(string(room), func() {
		m.mu.Lock()
		n, code := m.granted[interestIn(kind, name)]+m.foreign[string(name)], m.refused[string(name)]
		m.mu.Unlock()
		l.sink.Answer(tag, code, n)
	})
}

// roomOf returns the room of a channel.
func roomOf(channel string) string {
	if _, tag, ok := strings.Cut(channel, "{"); ok {
		if tag, _, ok = strings.Cut(tag, "}"); ok && tag != "" {
			return tag
		}
	}
	return channel
}

// check holds what the engine says against what it promises.
func (l *lane) check(kind engine.Kind, room, channel []byte) {
	l.dirty = true
	if hook := l.city.hook; hook != nil {
		hook(l, string(channel))
	}
	if engine.LaneOf(room, len(l.city.lanes)) != l.id {
		l.city.t.Errorf("lane %d is asked about room %q", l.id, room)
	}
	want := roomOf(string(channel))
	if kind == engine.Pattern {
		want = string(engine.PatternRoom(channel))
	}
	if string(room) != want {
		l.city.t.Errorf("%q is said to be of room %q", channel, room)
	}
	if kind != engine.Pattern && engine.IsLocal(channel) {
		l.city.t.Errorf("a lane is asked about %q", channel)
	}
}

func (l *lane) Drain() {
	l.mu.Lock()
	orders := l.orders
	l.orders = nil
	l.mu.Unlock()
	for _, f := range orders {
		f()
	}
	l.each(func(room string, due time.Duration) {
		for due <= 0 && len(l.queue[room]) > 0 {
			q := l.queue[room][0]
			if due = time.Until(q.due); due > 0 {
				break
			}
			l.queue[room] = l.queue[room][1:]
			q.answer()
		}
	})
}

// each visits the rooms that have a question waiting and are not held.
func (l *lane) each(visit func(room string, due time.Duration)) {
	l.city.mu.Lock()
	var rooms []string
	for room, queue := range l.queue {
		switch {
		case len(queue) == 0:
			delete(l.queue, room)
		case !l.city.held[room]:
			rooms = append(rooms, room)
		}
	}
	l.city.mu.Unlock()
	for _, room := range rooms {
		visit(room, time.Until(l.queue[room][0].due))
	}
}

func (l *lane) Flush() { l.dirty = false }

func (l *lane) Next() time.Duration {
	if l.dirty {
		l.city.t.Error("a loop sleeps, and its lane was not flushed")
	}
	next := time.Duration(-1)
	l.each(func(_ string, due time.Duration) {
		if due = max(due, 0); next < 0 || due < next {
			next = due
		}
	})
	return next
}

// onLoops runs a test with one loop and with several.
func onLoops(t *testing.T, f func(t *testing.T, s *site, city *metropolis)) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d loops", loops), func(t *testing.T) {
			t.Parallel()
			city := newMetropolis(t)
			f(t, serveLanes(t, loops, city), city)
		})
	}
}
