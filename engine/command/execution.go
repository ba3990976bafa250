package command

import (
	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// execution is an EXEC on its way through its commands. It collects the answers
// apart: messages that a (UN)SUBSCRIBE among the commands brings out must not
// come between them. In a cluster some commands wait for other nodes: one that
// changes or asks for subscriptions before the next is executed, those that
// publish all together at the end. So an EXEC's messages to a room are
// contiguous unless a command between them waits or changes subscriptions, for
// that brings out what was published before.
type execution struct {
	call    call // the EXEC
	memory  *memory
	tx      *transaction
	next    int // in tx.queue
	waiting bool
	answers resp.Writer
	batch   *engine.Batch // nil: nothing was published
	holes   []hole
}

// hole is a place in the answers for what the batch's results first to last-1
// come to.
type hole struct {
	at, first, last int
	script          bool
}

func exec(c call) {
	m := recall(c.s)
	if m == nil || m.tx == nil {
		c.fail("ERR EXEC without MULTI")
		return
	}
	if m.tx.spoiled {
		m.endTransaction(c.s)
		c.fail("EXECABORT Transaction discarded because of previous errors.")
		return
	}
	x := &execution{call: c, memory: m, tx: m.tx, answers: resp.Writer{V3: c.s.Protocol() == 3}}
	if !c.s.Muted() {
		x.answers.Array(len(x.tx.queue))
	}
	x.run()
}

// run executes the commands from the next on, as far as none waits.
func (x *execution) run() {
	c := x.call
	for x.next < len(x.tx.queue) {
		q := &x.tx.queue[x.next]
		x.next++
		one := call{h: c.h, s: c.s, cmd: q.cmd, words: &q.words, inside: x}
		if verdict := one.verdict(); verdict != acl.Allowed {
			one.fail(rulesChanged(verdict))
		} else {
			q.cmd.run(one)
		}
		if c.s.Exceeds(len(x.answers.Buf)) {
			x.memory.endTransaction(c.s)
			return
		}
		if x.waiting {
			return
		}
	}
	x.memory.endTransaction(c.s)
	if x.batch == nil {
		c.push().Raw(x.answers.Buf)
		c.s.HandOver()
		return
	}
	x.batch.Wait(func() { c.push().Raw(x.filled()) }, c.s.HandOver)
}

// filled returns the answers with the holes filled.
func (x *execution) filled() []byte {
	if len(x.holes) == 0 {
		return x.answers.Buf
	}
	all, results := resp.Writer{V3: x.answers.V3}, x.batch.Results()
	at := 0
	for _, hole := range x.holes {
		all.Raw(x.answers.Buf[at:hole.at])
		at = hole.at
		switch r := results[hole.first]; {
		case hole.script:
			writeScript(&all, x.call.h, results[hole.first:hole.last])
		case r.Code == engine.Done:
			all.Int(r.N)
		default:
			all.Error(x.call.h.Fault(r.Code))
		}
	}
	all.Raw(x.answers.Buf[at:])
	return all.Buf
}

// publish is PUBLISH or SPUBLISH inside.
func (x *execution) publish(c call, kind engine.Kind) {
	batch := c.batch()
	if r := batch.Publish(kind, c.words); r.Code == engine.Done {
		c.reply().Int(r.N)
		return
	}
	n := len(batch.Results())
	x.hole(c, n-1, n, false)
}

// hole leaves room for results that are to come, unless there is no answer.
func (x *execution) hole(c call, first, last int, script bool) {
	if !c.s.Muted() {
		x.holes = append(x.holes, hole{len(x.answers.Buf), first, last, script})
	}
}

// batch returns where the call publishes to: an EXEC has one batch for all.
func (c call) batch() *engine.Batch {
	x := c.inside
	if x == nil {
		return c.s.NewBatch()
	}
	if x.batch == nil {
		x.batch = c.s.NewBatch()
	}
	return x.batch
}

// later is for a command that may take longer than the call: begin begins it,
// and calls done when its answer is written, now or later. Then an EXEC that
// the command is part of goes on.
func (c call) later(begin func(done func())) {
	x := c.inside
	if x == nil {
		begin(func() {})
		return
	}
	x.waiting = true
	called := true
	begin(func() {
		x.waiting = false
		if !called {
			x.run()
		}
	})
	called = false
}

// suspend is Session.Suspend for commands that may be part of an EXEC.
func (c call) suspend() (answer func(write func(*resp.Writer))) {
	x, reply := c.inside, c.s.Suspend()
	if x == nil {
		return reply
	}
	x.waiting = true
	return func(write func(*resp.Writer)) {
		reply(func(*resp.Writer) {
			write(c.reply())
			x.waiting = false
			x.run()
		})
	}
}
