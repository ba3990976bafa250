package command

import (
	"hubsub/engine"
	"hubsub/resp"
)

// transaction is the commands that a client has queued since MULTI. It counts
// like an unfinished command against the client's query buffer.
type transaction struct {
	queue   []queued
	bytes   int64 // of memory for the queue
	spoiled bool  // a command was refused: EXEC will not execute
}

type queued struct {
	cmd   *command
	words resp.Command // own memory
}

func multi(c call) {
	m := c.memory()
	if m.tx != nil {
		c.fail("ERR MULTI calls can not be nested")
		return
	}
	m.tx = &transaction{}
	identify(c.s, func(id *engine.Identity) { id.Queued = 0 })
	c.ok()
}

// queue keeps a command for EXEC. A client that queues more than it may have in
// its query buffer is closed.
func queue(s *engine.Session, tx *transaction, cmd *command, words *resp.Command) {
	size := 0
	for _, word := range words.Args {
		size += len(word)
	}
	own := make([]byte, 0, size)
	args := make([][]byte, 0, len(words.Args))
	for _, word := range words.Args {
		start := len(own)
		own = append(own, word...)
		args = append(args, own[start:len(own):len(own)])
	}
	tx.queue = append(tx.queue, queued{cmd, resp.Command{Args: args}})
	size += queuedCommandBytes + queuedWordBytes*len(args)
	tx.bytes += int64(size)
	if !s.Keep(int64(size)) {
		return
	}
	identify(s, func(id *engine.Identity) { id.Queued = len(tx.queue) })
	s.Reply().Simple("QUEUED")
}

// endTransaction forgets the transaction, if there is one.
func (m *memory) endTransaction(s *engine.Session) {
	if m.tx != nil {
		s.Keep(-m.tx.bytes)
		m.tx = nil
		identify(s, func(id *engine.Identity) { id.Queued = -1 })
	}
}

func discard(c call) {
	m := recall(c.s)
	if m == nil || m.tx == nil {
		c.fail("ERR DISCARD without MULTI")
		return
	}
	m.endTransaction(c.s)
	c.ok()
}
