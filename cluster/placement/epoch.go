package placement

import (
	"cmp"
	"fmt"
)

// Epoch is the number of a committed placement. Epochs of all rooms together
// grow with time, so a room that was deleted and made again has a higher one.
type Epoch struct {
	Generation uint32 `json:"g"` // of the cluster: grows when consensus starts anew
	Index      uint64 `json:"i"` // of the entry in the consensus log; no two changes of a room share one
}

// Compare is negative if e is older than f.
func (e Epoch) Compare(f Epoch) int {
	return cmp.Or(cmp.Compare(e.Generation, f.Generation), cmp.Compare(e.Index, f.Index))
}

// IsZero reports whether e is no room's epoch.
func (e Epoch) IsZero() bool { return e == Epoch{} }

func (e Epoch) String() string { return fmt.Sprintf("%d-%d", e.Generation, e.Index) }

// Term is a leader's time in office. Of two leaders the one with the higher
// term is right.
type Term struct {
	Generation uint32 `json:"g"`
	Number     uint64 `json:"n"`
}

// Compare is negative if t is older than u.
func (t Term) Compare(u Term) int {
	return cmp.Or(cmp.Compare(t.Generation, u.Generation), cmp.Compare(t.Number, u.Number))
}

// Attempt names one try of one leader: what hosts answer to one is never taken
// for an answer to another.
type Attempt struct {
	Term   Term   `json:"term"`
	Number uint64 `json:"n"` // grows within a term
}

// before reports whether a was made earlier than b.
func (a Attempt) before(b Attempt) bool {
	if c := a.Term.Compare(b.Term); c != 0 {
		return c < 0
	}
	return a.Number < b.Number
}
