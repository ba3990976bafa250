package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// memorySnapshots keeps the newest snapshot. A snapshot is there when it was
// closed, whole; raft's own store in memory shows it from its first byte on, and
// a cancelled one for ever.
type memorySnapshots struct {
	mu     sync.Mutex
	newest *memorySnapshot // nil: none
	serial int
}

// memorySnapshot does not change once it is the newest.
type memorySnapshot struct {
	store *memorySnapshots
	meta  raft.SnapshotMeta
	data  []byte
	ended bool
}

var (
	errSnapshotGone = errors.New("there is no such snapshot")
	errSnapshotOld  = errors.New("there is a snapshot of more")
)

func (s *memorySnapshots) Create(version raft.SnapshotVersion, index, term uint64, c raft.Configuration, configIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return &memorySnapshot{store: s, meta: raft.SnapshotMeta{
		Version: version, ID: fmt.Sprintf("%d-%d-%d", term, index, s.serial), Index: index, Term: term,
		Configuration: c, ConfigurationIndex: configIndex,
	}}, nil
}

func (s *memorySnapshots) List() ([]*raft.SnapshotMeta, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil {
		return nil, nil
	}
	meta := s.newest.meta
	return []*raft.SnapshotMeta{&meta}, nil
}

func (s *memorySnapshots) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.newest == nil || s.newest.meta.ID != id {
		return nil, nil, errSnapshotGone
	}
	meta := s.newest.meta
	return &meta, io.NopCloser(bytes.NewReader(s.newest.data)), nil
}

func (m *memorySnapshot) ID() string { return m.meta.ID }

func (m *memorySnapshot) Write(b []byte) (int, error) {
	if m.ended {
		return 0, errSnapshotGone
	}
	m.data = append(m.data, b...)
	return len(b), nil
}

// Close shows the snapshot. One of more may have come from the leader meanwhile:
// then raft must not believe that its newest one is older (issue 248).
func (m *memorySnapshot) Close() error {
	if m.ended {
		return nil
	}
	m.ended = true
	m.meta.Size = int64(len(m.data))
	m.store.mu.Lock()
	defer m.store.mu.Unlock()
	if n := m.store.newest; n != nil && n.meta.Index > m.meta.Index {
		return errSnapshotOld
	}
	m.store.newest = m
	return nil
}

func (m *memorySnapshot) Cancel() error {
	m.ended, m.data = true, nil
	return nil
}
