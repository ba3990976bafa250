package consensus

import (
	"errors"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// memoryLog is a log in memory without holes. Raft's own one may have some, and
// then the mistakes of issue 697 too: see doc.go.
type memoryLog struct {
	mu      sync.RWMutex
	entries []raft.Log // their indexes follow each other
}

var (
	errHole = errors.New("an entry does not follow the last one")
	errCut  = errors.New("entries in the middle cannot be deleted")
)

// IsMonotonic tells raft that there are no holes, and that it must delete all
// entries when it installs a snapshot.
func (l *memoryLog) IsMonotonic() bool { return true }

func (l *memoryLog) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.entries) == 0 {
		return 0, nil
	}
	return l.entries[0].Index, nil
}

func (l *memoryLog) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.entries) == 0 {
		return 0, nil
	}
	return l.entries[len(l.entries)-1].Index, nil
}

func (l *memoryLog) GetLog(index uint64, to *raft.Log) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.entries) == 0 || index < l.entries[0].Index || index-l.entries[0].Index >= uint64(len(l.entries)) {
		return raft.ErrLogNotFound
	}
	*to = l.entries[index-l.entries[0].Index]
	return nil
}

func (l *memoryLog) StoreLog(one *raft.Log) error { return l.StoreLogs([]*raft.Log{one}) }

func (l *memoryLog) StoreLogs(all []*raft.Log) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.entries)
	for _, one := range all {
		if len(l.entries) > 0 && one.Index != l.entries[len(l.entries)-1].Index+1 {
			l.entries = l.entries[:n]
			return errHole
		}
		l.entries = append(l.entries, *one)
	}
	return nil
}

// DeleteRange deletes the oldest entries, or the newest.
func (l *memoryLog) DeleteRange(low, high uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return nil
	}
	first, last := l.entries[0].Index, l.entries[len(l.entries)-1].Index
	switch low, high := max(low, first), min(high, last); {
	case low > high:
	case low == first:
		l.entries = slices.Clone(l.entries[high-first+1:]) // lets the old ones go
	case high == last:
		clear(l.entries[low-first:])
		l.entries = l.entries[:low-first]
	default:
		return errCut
	}
	return nil
}

// memoryStable keeps raft's term and vote.
type memoryStable struct {
	mu      sync.Mutex
	values  map[string][]byte
	numbers map[string]uint64
}

func newMemoryStable() *memoryStable {
	return &memoryStable{values: make(map[string][]byte), numbers: make(map[string]uint64)}
}

func (s *memoryStable) Set(key, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[string(key)] = slices.Clone(value)
	return nil
}

func (s *memoryStable) Get(key []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values[string(key)]), nil
}

func (s *memoryStable) SetUint64(key []byte, n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[string(key)] = n
	return nil
}

func (s *memoryStable) GetUint64(key []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers[string(key)], nil
}
