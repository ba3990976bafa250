package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What a data directory holds: node.json, and raft/ of consensus. A process that
// finds both is the one that it was before the restart, under the same name: it
// remembers what it has promised. Without a directory it is another one.

// nodeFile is the name of a record.
const nodeFile = "node.json"

// record is who the process was.
type record struct {
	ID      string `json:"id"`
	Boot    uint64 `json:"boot"`
	Start   uint64 `json:"start"`   // when the process began that wrote this, or later; in microseconds
	Cluster string `json:"cluster"` // that it is a member of; empty: none
}

func raftDir(dir string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "raft")
}

// recall returns who this process is. Start is later than that of the process before
// it under the same name, should the clock have gone back: what a process says is
// told from what the one before has said by that.
func recall(dir, id string) (record, error) {
	now := time.Now()
	fresh := record{ID: id, Boot: uint64(now.UnixNano()), Start: uint64(now.UnixMicro())}
	if dir == "" {
		return fresh, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return record{}, fmt.Errorf("cannot make the --data-dir: %w", err)
	}
	path := filepath.Join(dir, nodeFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// What consensus has there is of a process that ended before it was a member.
		return fresh, forget(dir)
	case err != nil:
		return record{}, fmt.Errorf("cannot read the --data-dir: %w", err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("cannot read %s: %w; to begin anew, remove the directory", path, err)
	}
	if r.ID != id {
		return record{}, fmt.Errorf("the --data-dir %s is of the node %q, this is %q: set --node-id %s, or another directory", dir, r.ID, id, r.ID)
	}
	r.Start = max(fresh.Start, r.Start+1)
	return r, nil
}

// remember writes who this process is, whole or not at all.
func remember(dir string, r record) error {
	if dir == "" {
		return nil
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, nodeFile)
	if err := writeSynced(path+".new", append(text, '\n')); err != nil {
		return fmt.Errorf("cannot write the --data-dir: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("cannot write the --data-dir: %w", err)
	}
	return nil
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// forget removes all that is known of a cluster: the next process of the node
// joins one as a new member.
func forget(dir string) error {
	if dir == "" {
		return nil
	}
	// The record first: what consensus has is nothing without it.
	err := os.Remove(filepath.Join(dir, nodeFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(raftDir(dir)))
}
