package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"

	"github.com/hashicorp/raft"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Config is what a process needs to take part in consensus.
type Config struct {
	Self    placement.Name // its server id too: see doc.go
	Address string         // host:port where the others reach its port
	Port    *port.Port
	DataDir string // empty: all is in memory
	Log     *slog.Logger

	// Guard is held while the table changes and while Applied and Changed are
	// called; nobody calls into this package with it held, but for Propose.
	Guard sync.Locker
	Table *placement.Table

	// Applied tells what became of a proposal of this process, right after the
	// table did and before anything else does.
	Applied func(proposal uint64, outcomes []placement.Outcome)
	// Changed tells that the table has changed, by any entry or a snapshot. It must
	// be cheap.
	Changed func()
	// Failed tells that a proposal is in nobody's log and will not be, and that
	// this process still leads.
	Failed func(proposal uint64)
	// Leadership tells the term in which this process leads, once its table holds
	// all that was committed before; 0 when it leads no more. One call comes after
	// the other. What was proposed before a 0 and not applied may be committed yet,
	// or not. A term may come twice, with a 0 between, after a transfer that failed.
	Leadership func(term uint64)
}

// Consensus is this process's part in agreeing on the table.
type Consensus struct {
	// Set once.
	config Config
	log    *raftLog
	stores *stores
	kept   bool // the data directory held state
	rounds sync.WaitGroup

	counters counters

	life sync.Mutex // held while a server is started or stopped

	mu     sync.Mutex
	server *server // nil: between two, or closed
	closed bool
}

var (
	errClosed    = errors.New("consensus has been closed")
	errNotLeader = errors.New("this process does not lead")
	errAlone     = errors.New("there is no other voter to lead")
)

// Open begins from what the data directory holds. If there is none, or nothing
// in it, the process waits until Bootstrap or until a leader adds it. The guard
// must not be held.
func Open(config Config) (*Consensus, error) {
	c := &Consensus{config: config}
	c.log = newRaftLog(config.Log, &c.counters.complaints)
	var err error
	if config.DataDir == "" {
		c.stores = memoryStores()
	} else if c.stores, err = diskStores(config.DataDir, c.log); err != nil {
		return nil, err
	}
	if c.kept, err = c.stores.hasState(); err == nil {
		err = c.start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start consensus: %w", err), c.stores.close())
	}
	config.Port.Handle(port.Raft, c.accept)
	return c, nil
}

// HasState reports whether the data directory held what this process has done
// before.
func (c *Consensus) HasState() bool { return c.kept }

// Bootstrap makes this process the only voter of a new cluster.
func (c *Consensus) Bootstrap() error {
	s := c.running()
	if s == nil {
		return errClosed
	}
	return s.bootstrap()
}

// Close ends this process's part, and everything that Open began.
func (c *Consensus) Close() error {
	c.life.Lock()
	defer c.life.Unlock()
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	if again {
		return nil
	}
	c.config.Port.Handle(port.Raft, nil)
	err := c.stop()
	c.rounds.Wait()
	return errors.Join(err, c.stores.close())
}

// running returns the server, nil if there is none.
func (c *Consensus) running() *server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}

// start begins a server from what is stored. The caller holds life, or is Open.
func (c *Consensus) start() error {
	if err := c.clear(); err != nil {
		return err
	}
	s, err := c.newServer(rand.Uint64())
	if err != nil {
		return err
	}
	c.publish(s)
	return nil
}

// publish makes a server the one that takes proposals, and only then lets the
// node hear of it: who is told that it leads proposes at once.
func (c *Consensus) publish(s *server) {
	c.mu.Lock()
	c.server = s
	c.mu.Unlock()
	s.serve()
}

// clear empties the table if raft will not replace it by a snapshot: it applies
// all entries behind the snapshot, once more if there was a server before.
func (c *Consensus) clear() error {
	kept, err := c.stores.snapshots.List()
	if err != nil || len(kept) > 0 {
		return err
	}
	c.config.Guard.Lock()
	defer c.config.Guard.Unlock()
	*c.config.Table = *placement.NewTable()
	return nil
}

// stop ends the server. The caller holds life.
func (c *Consensus) stop() error {
	c.mu.Lock()
	s := c.server
	c.server = nil
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.close()
}

// rebuild starts a server again that goes by other things than it has stored.
func (c *Consensus) rebuild(s *server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.rounds.Go(func() {
		if !c.life.TryLock() {
			return // it is ended or replaced just now, which does as well
		}
		defer c.life.Unlock()
		if c.running() != s {
			return
		}
		if err := errors.Join(c.stop(), c.start()); err != nil {
			c.config.Log.Error("cannot start consensus again; this node takes no part in it", "error", err)
		}
	})
}

// Leader returns who leads, as far as is known here: empty if nobody. The term
// shows how old that is.
func (c *Consensus) Leader() (placement.Name, string, uint64) {
	s := c.running()
	if s == nil {
		return "", "", 0
	}
	term := s.raft.CurrentTerm()
	at, id := s.raft.LeaderWithID()
	address, _ := splitAddress(at)
	return placement.Name(id), address, term
}

// Server is a process that takes part.
type Server struct {
	Name    placement.Name
	Address string // host:port
	Voter   bool
}

// Servers returns who takes part, as far as is known here.
func (c *Consensus) Servers() []Server {
	if s := c.running(); s != nil {
		return s.servers()
	}
	return nil
}

func (s *server) servers() (all []Server) {
	for _, one := range s.raft.GetConfiguration().Configuration().Servers {
		address, _ := splitAddress(one.Address)
		all = append(all, Server{placement.Name(one.ID), address, one.Suffrage == raft.Voter})
	}
	return all
}
