package consensus

import (
	"reflect"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"hubsub/cluster/placement"
)

// server is one run of raft over the stores, and all goroutines that serve it.
type server struct {
	// Set once.
	c       *Consensus
	config  *Config
	session uint64
	raft    *raft.Raft
	layer   *layer
	trans   *transport
	notify  chan bool     // from raft, which waits for it
	stop    chan struct{} // closed at the end
	done    sync.WaitGroup

	office office
	queue  queue
	ballot ballot
	keeper keeper
}

func settings(id placement.Name, notify chan<- bool, log *raftLog) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(id)
	c.HeartbeatTimeout, c.ElectionTimeout = heartbeatTimeout, electionTimeout
	c.LeaderLeaseTimeout, c.CommitTimeout = leaderLease, commitTimeout
	c.MaxAppendEntries, c.BatchApplyCh = entriesMax, true
	c.TrailingLogs, c.SnapshotThreshold, c.SnapshotInterval = trailingEntries, snapshotEntries, snapshotInterval
	c.ShutdownOnRemove = false // whoever is moved out may be moved in again
	c.NoLegacyTelemetry = true
	c.NotifyCh = notify
	c.Logger = log.hclog()
	return c
}

// newServer begins a run of raft, of which nobody hears until serve.
func (c *Consensus) newServer(session uint64) (*server, error) {
	s := &server{c: c, config: &c.config, session: session, notify: make(chan bool, 1), stop: make(chan struct{})}
	s.office.moved = make(chan struct{}, 1)
	s.queue.init()
	s.ballot.asked = make(chan struct{}, 1)
	s.keeper.init()
	s.layer = newLayer(c.config.Port, addressOf(c.config.Address, c.config.Self))
	s.trans = newTransport(s.layer, c.log, s.stop, func() { c.rebuild(s) })
	r, err := raft.NewRaft(settings(c.config.Self, s.notify, c.log), s.machine(),
		c.stores.log, c.stores.stable, c.stores.snapshots, s.trans)
	if err != nil {
		close(s.stop)
		_ = s.trans.Close() // closes the layer
		return nil, err
	}
	s.raft = r
	return s, nil
}

// serve lets raft hear the others, and the node hear of raft.
func (s *server) serve() {
	s.done.Go(func() { s.trans.serve(s.raft) })
	s.done.Go(s.hear)
	s.done.Go(s.hold)
	s.done.Go(s.propose)
	s.done.Go(s.fail)
	s.done.Go(s.verify)
	s.done.Go(s.keep)
	s.hurry()
}

func (s *server) machine() *machine {
	return &machine{
		guard: s.config.Guard, table: s.config.Table, log: s.config.Log, self: s.config.Self, session: s.session,
		applied: s.config.Applied, changed: s.config.Changed, landed: s.queue.land,
		done: func() { s.c.counters.applied.Add(1) },
	}
}

// close ends the server. Raft waits for its calls, which end with the layer.
func (s *server) close() error {
	close(s.stop)
	s.queue.end()
	ended := s.raft.Shutdown()
	s.layer.Close()
	s.done.Wait()
	return ended.Error()
}

func (s *server) bootstrap() error {
	f := s.raft.BootstrapCluster(raft.Configuration{Servers: []raft.Server{{
		Suffrage: raft.Voter, ID: raft.ServerID(s.config.Self), Address: s.layer.own,
	}}})
	if err := s.await(f); err != nil {
		return err
	}
	s.hurry()
	return nil
}

// hurry has the only voter elect itself at once: raft looks at its timer when
// that becomes shorter.
func (s *server) hurry() {
	voters := 0
	for _, one := range s.servers() {
		switch {
		case one.Voter && one.Name != s.config.Self:
			return
		case one.Voter:
			voters++
		}
	}
	if voters == 1 {
		s.timeouts(foundingTimeout)
	}
}

func (s *server) timeouts(d time.Duration) {
	err := s.raft.ReloadConfig(raft.ReloadableConfig{
		TrailingLogs: trailingEntries, SnapshotInterval: snapshotInterval, SnapshotThreshold: snapshotEntries,
		HeartbeatTimeout: d, ElectionTimeout: d,
	})
	if err != nil {
		s.config.Log.Error("raft refuses timeouts", "error", err) // a mistake in limits.go
	}
}

// await waits for a future, or for the end of the server: raft forgets some
// futures when it ends, and whoever waits for them would wait for ever. It lets
// one say when to give up, but only its own code reaches that field.
func (s *server) await(f raft.Future) error {
	if v := reflect.ValueOf(f); v.Kind() == reflect.Pointer {
		if field := v.Elem().FieldByName("ShutdownCh"); field.IsValid() && field.CanSet() {
			field.Set(reflect.ValueOf(s.stop))
		}
	}
	return f.Error()
}
