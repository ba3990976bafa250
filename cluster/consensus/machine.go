package consensus

import (
	"io"
	"log/slog"
	"sync"

	"github.com/hashicorp/raft"

	"hubsub/cluster/placement"
)

// machine is what raft applies committed entries to: the table. Raft calls it
// from one goroutine, but for persist.
type machine struct {
	guard   sync.Locker
	table   *placement.Table
	log     *slog.Logger
	self    placement.Name
	session uint64

	applied func(proposal uint64, outcomes []placement.Outcome) // guard held
	changed func()                                              // guard held
	done    func()                                              // any entry was applied
	landed  func()                                              // an entry of this session was applied; guard not held
}

// Apply takes one entry. An entry that nobody can read changes nothing, on all
// voters alike.
func (m *machine) Apply(l *raft.Log) any {
	e, err := decode(l.Data)
	if err != nil {
		m.log.Error("consensus skips an entry that cannot be read", "index", l.Index, "bytes", len(l.Data), "error", err)
	}
	own := err == nil && e.proposer == m.self && e.session == m.session
	m.guard.Lock()
	outcomes := m.table.Apply(l.Index, e.ops)
	if own {
		m.applied(e.proposal, outcomes)
	}
	m.changed()
	m.guard.Unlock()
	m.done()
	if own {
		m.landed()
	}
	return nil
}

// Snapshot costs the same whatever the table holds; persist copies nothing
// either.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.guard.Lock()
	defer m.guard.Unlock()
	return image{m.table.Snapshot()}, nil
}

// Restore reads the snapshot first, without the guard, and then replaces the
// table.
func (m *machine) Restore(from io.ReadCloser) error {
	defer from.Close()
	restored := placement.NewTable()
	if err := restored.Restore(from); err != nil {
		return err
	}
	m.guard.Lock()
	defer m.guard.Unlock()
	*m.table = *restored
	m.changed()
	return nil
}

// image is the table as it was.
type image struct{ snapshot *placement.Snapshot }

func (i image) Persist(to raft.SnapshotSink) error {
	if _, err := i.snapshot.WriteTo(to); err != nil {
		_ = to.Cancel() // the write has failed already
		return err
	}
	return to.Close()
}

func (i image) Release() {}

// scratch is a machine of its own, whose table nobody sees.
func scratch(log *slog.Logger) *machine {
	return &machine{guard: new(sync.Mutex), table: placement.NewTable(), log: log, changed: func() {}, done: func() {}}
}
