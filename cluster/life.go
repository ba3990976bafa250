package cluster

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/consensus"
	"hubsub/cluster/control"
	"hubsub/cluster/gossip"
	"hubsub/cluster/link"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// life is a process under one name. Its parts are its own; only the port is
// there before and after it.
type life struct {
	// Set once.
	node  *Node
	log   *slog.Logger
	self  placement.Member
	born  time.Time
	start uint64 // later than that of an earlier process under this name; about born, in microseconds
	bequest
	running sync.WaitGroup

	// What has happened, or is to be done.
	dirty  chan struct{} // holds one: there are effects to carry out
	opened chan struct{} // closed when all parts are there
	over   chan struct{} // closed by giveUp
	ended  chan struct{} // closed when the parts are to end

	// Any goroutine, atomic.
	contacting atomic.Bool
	visiting   atomic.Bool

	// mu guards all that follows, and the table that consensus changes. Whoever
	// holds it never waits for anything.
	mu sync.Mutex

	// Its cluster.
	cluster    string // what connections compare; empty: none yet
	generation uint32 // that this process has begun or joined
	resumed    bool   // by what the data directory knew
	entered    time.Duration
	admitted   bool // it was told so in the log

	// The parts that speak with others, and those that decide.
	parts   parts
	table   *placement.Table
	decider *placement.Decider
	host    *placement.Host
	front   *placement.Front
	toSelf  []placement.Message // that a deciding part has sent to another one here

	// What it knows of others, and does besides, each in a file of its own.
	led         leadership
	whereabouts whereabouts
	deaths      deaths
	loads       loads
	usage       usage
	used        map[string]bool // rooms that are hosted here, and heard somewhere, as the lanes say
	questions   questions
	balanced    placement.Epoch // of the roster for which the voters are right
	succession  succession
	reunion     reunion
	isolation   isolation
	departure   departure
	counted     counted

	// Its end.
	closed   bool
	forsaken bool // see giveUp
	next     bequest
}

// bequest is what a life leaves to the next.
type bequest struct {
	contacts []string // besides the seeds: where a cluster was met
	outcast  bool     // the node is none of it any more, but it may be there still
}

// parts are there once the process has a cluster.
type parts struct {
	control   *control.Control
	consensus *consensus.Consensus
	gossip    *gossip.Gossip
	links     *link.Links
}

// newLife returns a life that begins after the one with a boot number, should
// the clock have gone back.
func newLife(n *Node, left bequest, after uint64) (*life, error) {
	who, err := recall(n.config.DataDir, n.config.ID)
	if err != nil {
		return nil, err
	}
	if who.Cluster == "" {
		who.Boot = max(who.Boot, after+1)
	}
	l := &life{
		node: n, log: n.log, born: time.Now(), start: who.Start, bequest: left,
		dirty: make(chan struct{}, 1), opened: make(chan struct{}), over: make(chan struct{}), ended: make(chan struct{}),
		table:       placement.NewTable(),
		whereabouts: newWhereabouts(),
		deaths:      newDeaths(),
		loads:       newLoads(who.Start),
		usage:       newUsage(),
		used:        make(map[string]bool),
		questions:   newQuestions(),
		departure:   departure{parted: make(chan struct{})},
	}
	l.self = placement.Member{
		Name: placement.NameOf(n.config.ID, who.Boot), ID: n.config.ID, Boot: who.Boot, Cluster: n.address,
		Clients: n.config.Clients, Zone: n.config.Zone, Weight: max(n.config.Weight, 1),
	}
	if who.Cluster != "" {
		l.setCluster(who.Cluster)
		l.resumed = true
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	l.decider = placement.NewDecider(l.table, n.config.Settings, random)
	l.host = placement.NewHost(l.self.Name, l.inUse, l.full)
	l.front = placement.NewFront(random, who.Start)
	l.whereabouts.hear(l.now(), l.self.Name, n.address)
	l.lanes().begin(l)
	return l, nil
}

// now is the time of the deciding parts, to whom 0 is never.
func (l *life) now() time.Duration { return time.Since(l.born) + 1 }

// record returns who this process is as a member of a cluster, for its data directory.
func (l *life) record(cluster string) record {
	return record{ID: l.self.ID, Boot: l.self.Boot, Start: l.start, Cluster: cluster}
}

// live runs until the node ends or must begin anew, and returns what it leaves to
// the next life.
func (l *life) live() bequest {
	l.running.Go(l.drive)
	l.node.port.Handle(port.Hello, func(conn net.Conn, peer port.Greeting) {
		conn.Close()
		l.visited(peer)
	})
	if err := l.enter(); err != nil {
		l.log.Error("cannot take part in a cluster, trying again", "error", err, "after", retryInterval)
		l.node.pause(retryInterval)
		return l.bequest
	}
	watch := time.NewTicker(watchInterval)
	defer watch.Stop()
	var contacted time.Time
	for {
		select {
		case <-l.node.quit:
			return bequest{}
		case <-l.over:
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.next
		case <-watch.C:
			l.watch()
			if now := time.Now(); now.Sub(contacted) >= l.contactDue() && l.contacting.CompareAndSwap(false, true) {
				contacted = now
				l.running.Go(func() {
					defer l.contacting.Store(false)
					l.contact()
				})
			}
		}
	}
}

// watch looks at what no event tells of.
func (l *life) watch() {
	l.mu.Lock()
	defer l.wake()
	defer l.mu.Unlock()
	if l.parts.consensus == nil || l.closed {
		return
	}
	l.inquireAgain()
	l.isolate()
	l.usage.look(l.now(), l.inUse, l.host.Idle)
	if l.led.here() {
		l.miss()
		l.balance()
		return
	}
	if l.leaderless() {
		l.findLeader()
	}
	if l.stranded() {
		l.log.Warn("the cluster that it was joining is not there: it begins anew", "cluster", l.cluster)
		l.giveUp(l.outcast)
	}
	l.mayTakeOver()
}

// stranded reports whether a newcomer waits for a cluster that has ended before
// it was let in. The caller holds mu.
func (l *life) stranded() bool {
	return !l.resumed && !l.member() && l.led.by == "" && l.now()-l.entered >= joinPatience
}

// enter has the process found a cluster, join one, or go on with the one that
// its data directory knows.
func (l *life) enter() error {
	if l.cluster != "" {
		l.log.Info("going on with the cluster of the data directory", "cluster", l.cluster, "node", l.self.Name)
		return l.assemble(nil, false)
	}
	next, ok := l.seek()
	switch {
	case !ok:
		return nil
	case next.found:
		l.setCluster(joinCluster(newCluster(), uint32(time.Now().Unix())))
		l.log.Info("founding a cluster", "cluster", l.cluster, "node", l.self.Name, "address", l.self.Cluster)
		return l.assemble(nil, true)
	default:
		l.setCluster(next.join.Cluster)
		l.log.Info("joining a cluster", "cluster", l.cluster, "node", l.self.Name, "address", l.self.Cluster, "through", next.join.Address)
		return l.assemble([]string{next.join.Address}, false)
	}
}

func (l *life) setCluster(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cluster = name
	_, l.generation = splitCluster(name)
}

// seek asks the seeds again and again until they say what to do; ok is false if
// the node ends before.
func (l *life) seek() (next step, ok bool) {
	var tells pace
	for {
		next := seek(l.self.Name, l.look(), l.now(), l.outcast)
		if next.found || next.join.Cluster != "" {
			return next, true
		}
		if tells.pass(l.now(), tellInterval) {
			l.log.Info("waiting for " + next.waiting)
		}
		if !l.node.pause(seekInterval) {
			return step{}, false
		}
	}
}

// look asks all seeds at once.
func (l *life) look() []sighting {
	addresses := resolve(append(l.node.config.Join[:len(l.node.config.Join):len(l.node.config.Join)], l.contacts...))
	seen := make([]sighting, len(addresses))
	var asked sync.WaitGroup
	for i, address := range addresses {
		seen[i].address = address
		asked.Go(func() {
			seen[i].greeting, seen[i].err = l.greet(address)
		})
	}
	asked.Wait()
	return seen
}

// assemble makes the parts that speak with others, and joins them.
func (l *life) assemble(contacts []string, found bool) error {
	c := l.node.config
	busy := l.report()
	l.mu.Lock() // what comes at once waits until all is there
	l.host.Join(l.self, busy, l.resumed)
	l.entered = l.now()
	l.parts.control = control.New(control.Config{Port: l.node.port, Log: l.log, Receive: l.receive, Dead: l.proved})
	l.parts.links = l.lanes().link(link.Config{Port: l.node.port, Name: l.self.Name, Log: l.log})
	l.mu.Unlock()
	if err := l.startGossip(); err != nil {
		return err
	}
	agree, err := consensus.Open(consensus.Config{
		Self: l.self.Name, Address: l.node.address, Port: l.node.port, DataDir: raftDir(c.DataDir), Log: l.log,
		Guard: &l.mu, Table: l.table, Applied: l.applied, Changed: l.changed, Failed: l.failed, Leadership: l.leadership,
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.parts.consensus = agree
	l.mu.Unlock()
	close(l.opened)
	if err := remember(c.DataDir, l.record(l.cluster)); err != nil {
		return err
	}
	l.node.port.Handle(recoverKind, l.serveRecover)
	if found {
		if err := agree.Bootstrap(); err != nil {
			return fmt.Errorf("cannot found a cluster: %w", err)
		}
	}
	if len(contacts) > 0 {
		if err := l.gossip().Join(contacts); err != nil {
			l.log.Warn("cannot join the gossip of the cluster yet, trying again", "error", err)
		}
	}
	return nil
}

// startGossip begins, or begins anew, for the cluster as it is called now.
func (l *life) startGossip() error {
	l.mu.Lock()
	label := l.cluster
	l.mu.Unlock()
	g, err := gossip.Start(gossip.Config{
		Self: l.self, Port: l.node.port, Label: label, Log: l.log,
		Report: l.report, Heard: l.heard, Leader: l.leading, Lost: l.lost, Contacts: l.seeds,
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.parts.gossip
	l.parts.gossip = g
	if old != nil {
		l.retire(old)
	}
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return nil
}

func (l *life) gossip() *gossip.Gossip {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts.gossip
}

// giveUp ends this life and what is known of its cluster: the next life joins
// one as another process, and asks at the contacts, too; as an outcast, if there
// still is a cluster, as far as is known. The caller holds mu.
func (l *life) giveUp(outcast bool, contacts ...string) {
	if l.forsaken {
		return
	}
	l.forsaken = true
	l.next = bequest{handOn(contacts, l.contacts), outcast}
	close(l.over)
}

// handOn joins the contacts of a life to those that it was given, each once. The
// new ones stay if there are too many. They are in one order for all processes,
// of which the first one in reach may found a cluster.
func handOn(found, given []string) (all []string) {
	for _, address := range slices.Concat(found, given) {
		if len(all) < contactsMax && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	slices.Sort(all)
	return all
}

// newestBoot returns the highest boot number that is known of this node.
func (l *life) newestBoot() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := l.self.Boot
	for _, s := range l.standing() {
		if s.Member.ID == l.self.ID {
			newest = max(newest, s.Member.Boot)
		}
	}
	return newest
}

// close ends the parts, and answers who waits.
func (l *life) close() {
	l.node.port.Handle(port.Hello, func(conn net.Conn, _ port.Greeting) { conn.Close() })
	l.node.port.Handle(recoverKind, nil)
	close(l.ended)
	l.mu.Lock()
	l.closed = true
	l.questions.refuse(placement.NoLeader)
	l.mu.Unlock()
	l.running.Wait() // for one that takes over, which has another gossip then
	l.mu.Lock()
	p, forsaken := l.parts, l.forsaken
	l.mu.Unlock()
	if p.gossip != nil {
		p.gossip.Close()
	}
	if p.control != nil {
		p.control.Close()
		p.links.Close()
	}
	if p.consensus != nil {
		if err := p.consensus.Close(); err != nil {
			l.log.Warn("consensus did not end well", "error", err)
		}
	}
	if forsaken {
		if err := forget(l.node.config.DataDir); err != nil {
			l.log.Error("cannot remove what the data directory holds of a cluster that is left", "error", err)
		}
	}
}
