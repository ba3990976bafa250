package consensus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
)

// stores is what raft keeps.
type stores struct {
	log       raft.LogStore
	stable    raft.StableStore
	snapshots raft.SnapshotStore
	close     func() error
}

func memoryStores() *stores {
	return &stores{new(memoryLog), newMemoryStable(), new(memorySnapshots), func() error { return nil }}
}

// boltLog is a log on disk. It could have holes, but raft is to think that it
// cannot: see memoryLog.
type boltLog struct{ *raftboltdb.BoltStore }

func (boltLog) IsMonotonic() bool { return true }

var errHalf = errors.New("holds snapshots but no log: a part of it was lost, and a server that has forgotten its votes must not come back; remove the directory")

// diskStores opens a data directory, or makes it. With the log go the votes:
// without it the snapshots are of a server that must not come back.
func diskStores(dir string, log *raftLog) (*stores, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of consensus: %w", err)
	}
	path := filepath.Join(dir, "log.db")
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	snapshots, err := raft.NewFileSnapshotStoreWithLogger(dir, snapshotsKept, log.hclog())
	if err != nil {
		return nil, fmt.Errorf("cannot open the snapshots of consensus: %w", err)
	}
	if isNew {
		kept, err := snapshots.List()
		switch {
		case err != nil:
			return nil, fmt.Errorf("cannot list the snapshots of consensus: %w", err)
		case len(kept) > 0:
			return nil, fmt.Errorf("the directory %s %w", dir, errHalf)
		}
	}
	db, err := raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: &bbolt.Options{Timeout: databaseTimeout}, MsgpackUseNewTimeFormat: true})
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of consensus, %s: %w", path, err)
	}
	return &stores{boltLog{db}, db, snapshots, db.Close}, nil
}

// hasState reports whether the stores hold what raft has done.
func (s *stores) hasState() (bool, error) {
	return raft.HasExistingState(s.log, s.stable, s.snapshots)
}

// hasTable reports whether they hold something of the table.
func (s *stores) hasTable() (bool, error) {
	last, err := s.log.LastIndex()
	if err != nil || last > 0 {
		return last > 0, err
	}
	kept, err := s.snapshots.List()
	return len(kept) > 0, err
}
