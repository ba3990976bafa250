package cluster

import (
	"path"
	"sync"
	"time"

	"hubsub/cluster/lane"
)

// A loop is an event loop of the engine, as far as a lane can tell.
type loop struct {
	lane    *Lane
	awake   chan struct{}
	quit    chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	todo    []func(*Lane)
	heard   []string // "channel message"
	answers map[uint64]int64
	gaps    int
}

// runLoop attaches a loop to lanes that have one.
func runLoop(lanes *Lanes) *loop {
	p := &loop{awake: make(chan struct{}, 1), quit: make(chan struct{}), answers: make(map[uint64]int64)}
	p.lane = lanes.Attach(0, p)
	p.running.Go(p.run)
	return p
}

func (p *loop) end() {
	close(p.quit)
	p.running.Wait()
}

// run ticks as the engine does.
func (p *loop) run() {
	for {
		var due <-chan time.Time
		if next := p.lane.Next(); next >= 0 {
			due = time.After(max(next, time.Millisecond))
		}
		select {
		case <-p.quit:
			return
		case <-p.awake:
		case <-due:
		}
		p.lane.Drain()
		p.mu.Lock()
		todo := p.todo
		p.todo = nil
		p.mu.Unlock()
		for _, do := range todo {
			do(p.lane)
		}
		p.lane.Flush()
	}
}

// do has the loop do something in its next tick.
func (p *loop) do(f func(*Lane)) {
	p.mu.Lock()
	p.todo = append(p.todo, f)
	p.mu.Unlock()
	p.Wake()
}

func (p *loop) Wake() {
	select {
	case p.awake <- struct{}{}:
	default:
	}
}

func (p *loop) Deliver(_ lane.Kind, _, channel, message []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, string(channel)+" "+string(message))
}

// hears returns how many messages clients of the loop have heard.
func (p *loop) hears() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.heard)
}

func (p *loop) Answer(tag uint64, code lane.Code, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code != lane.Done {
		n = -int64(code)
	}
	p.answers[tag] = n
}

func (p *loop) Traffic(string) (messages int64, perSecond float64) { return 0, 0 }
func (p *loop) Own(string, bool)                                   {}

func (p *loop) Watch(int, func()) func() { panic("a network in memory has no sockets") }

func (p *loop) Gap(string, int64, lane.Why) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gaps++
}

// index is an index of globs that looks at all.
type index map[string]uint32

func (x index) Add(pattern string, number uint32) { x[pattern] = number }

func (x index) Remove(pattern string) bool {
	_, had := x[pattern]
	delete(x, pattern)
	return had
}

func (x index) AppendMatches(dst []uint32, channel []byte) []uint32 {
	for pattern, number := range x {
		if matchGlob([]byte(pattern), channel) {
			dst = append(dst, number)
		}
	}
	return dst
}

func matchGlob(pattern, name []byte) bool {
	yes, err := path.Match(string(pattern), string(name))
	return err == nil && yes
}

// newLanes returns the lanes of a process with one loop.
func newLanes() *Lanes {
	return NewLanes(LanesConfig{Loops: 1, Of: func([]byte, int) int { return 0 }, Match: matchGlob, Index: make(index)})
}
