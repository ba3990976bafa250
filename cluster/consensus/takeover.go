package consensus

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

// keyTerm is where raft keeps its term.
var keyTerm = []byte("CurrentTerm")

// TakeOver makes this process the only voter, with all that its log has, be it
// committed or not. The other voters must be dead, or know this cluster by another
// name from now on: the port must refuse their connections, as this process's
// term and log have no more to do with theirs. The guard must not be held.
func (c *Consensus) TakeOver() error {
	c.life.Lock()
	defer c.life.Unlock()
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return errClosed
	}
	err := errors.Join(c.stop(), c.recoverStores())
	// Even if that failed: what is stored is whole.
	if err := errors.Join(err, c.start()); err != nil {
		return fmt.Errorf("cannot take over: %w", err)
	}
	if s := c.running(); len(s.servers()) == 0 {
		return s.bootstrap()
	}
	return nil
}

// recoverStores writes a snapshot of all that the log has, with a configuration of
// this process alone, and empties the log. If it ends between the two, the
// snapshot counts.
func (c *Consensus) recoverStores() error {
	some, err := c.stores.hasTable()
	if err != nil {
		return err
	}
	if !some {
		// Of a table it has nothing, but raft may have heard of a term, and then
		// refuses to bootstrap. It has never voted for anything that it has to keep.
		return c.stores.stable.SetUint64(keyTerm, 0)
	}
	own := addressOf(c.config.Address, c.config.Self)
	l := newLayer(c.config.Port, own)
	trans := newTransport(l, c.log, l.ctx.Done(), func() {})
	defer trans.Close()
	return raft.RecoverCluster(settings(c.config.Self, nil, c.log), scratch(c.config.Log),
		c.stores.log, c.stores.stable, c.stores.snapshots, trans,
		raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: raft.ServerID(c.config.Self), Address: own}}})
}
