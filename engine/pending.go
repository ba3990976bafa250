package engine

import (
	"bytes"

	"hubsub/resp"
)

// This file is for answers to PUBLISH that come later. The client's pipeline
// goes on as far as it is of such commands: each has its slot, and what is
// written meanwhile stands behind the slots before it. Any other command waits
// until all slots are filled (stalled), and so does a client that has too much
// unanswered. A session has a pending only while there is something in it.

// pending is what a session is answered once the first of it is known.
//
//	slot 3    text "…"   slot 4      slot 5    text "…"
//	filled ─▶ sent       waiting     filled    …      ─▶ next
type pending struct {
	slots []slot // slots[:sent] are over
	sent  int
	first uint64      // the number of slots[0]
	text  resp.Writer // what was written since the first slot that is not over
	cut   int         // how much was written before that
	full  bool        // stalled for having too much unanswered, and not for another command

	asked int // publishes without an answer, those of a batch too
	bytes int // of the slots' messages that have none
}

// slot is the place of one answer.
type slot struct {
	result Result
	bytes  int
	text   int // how much was written before it, over all
	muted  bool
}

// empty reports whether nothing waits.
func (p *pending) empty() bool { return p.sent == len(p.slots) && p.asked == 0 }

// await makes the session's next answer to a publish come later.
func (s *Session) await() *pending {
	if s.pending == nil {
		s.pending = &pending{text: resp.Writer{V3: s.out.V3}}
	}
	return s.pending
}

// nextSlot returns the number of the slot that addSlot adds.
func (s *Session) nextSlot() uint64 {
	if p := s.pending; p != nil {
		return p.first + uint64(len(p.slots))
	}
	return 0
}

// addSlot adds a slot for a message of n bytes.
func (s *Session) addSlot(n int) {
	p := s.await()
	p.slots = append(p.slots, slot{result: Result{Code: Pending}, bytes: n, text: p.cut + len(p.text.Buf), muted: s.has(muted)})
	p.asked++
	p.bytes += n
	s.set(expecting, true)
}

// fill answers a slot and reports whether something can be sent now.
func (p *pending) fill(number uint64, r Result) (first bool) {
	at := int(number - p.first)
	sl := &p.slots[at]
	sl.result = r
	p.asked--
	p.bytes -= sl.bytes
	return at == p.sent
}

// emit writes the answers that are known and not behind others that are not.
func (s *Session) emit() {
	p := s.pending
	if p == nil {
		return
	}
	for ; p.sent < len(p.slots) && p.slots[p.sent].result.Code != Pending; p.sent++ {
		sl := &p.slots[p.sent]
		if !sl.muted {
			s.writeResult(&s.out, sl.result)
		}
		end := p.cut + len(p.text.Buf)
		if p.sent+1 < len(p.slots) {
			end = p.slots[p.sent+1].text
		}
		if from := sl.text - p.cut; end-p.cut > from {
			s.loop.touch(s)
			s.out.Raw(p.text.Buf[from : end-p.cut])
		}
	}
	switch {
	case p.sent == len(p.slots):
		s.set(expecting, false)
		if p.empty() {
			s.pending = nil
			return
		}
		p.first += uint64(p.sent)
		p.slots, p.sent = p.slots[:0], 0
		p.cut += len(p.text.Buf)
		p.text.Buf = p.text.Buf[:0]
	case p.sent >= len(p.slots)/2:
		p.first += uint64(p.sent)
		p.slots = append(p.slots[:0], p.slots[p.sent:]...)
		p.sent = 0
		if over := p.slots[0].text - p.cut; over > 0 {
			p.cut += over
			p.text.Buf = append(p.text.Buf[:0], p.text.Buf[over:]...)
		}
	}
}

// writeResult writes the answer to a publish.
func (s *Session) writeResult(w *resp.Writer, r Result) {
	if w == &s.out {
		s.loop.touch(s)
	}
	if r.Code == Done {
		w.Int(r.N)
	} else {
		w.Error(s.loop.engine.handler.Fault(r.Code))
	}
}

// mayPublish reports whether the session may have one more publish without an
// answer.
func (s *Session) mayPublish() bool {
	p := s.pending
	return p == nil || len(p.slots)-p.sent < pendingSlotsMax && p.bytes < pendingBytesMax && len(p.text.Buf) < pendingTextMax
}

// mayExecute reports whether a command may be executed while answers are to
// come: one that publishes, if they are not too many.
func (s *Session) mayExecute(cmd *resp.Command) bool {
	if len(cmd.Args) == 0 {
		return true
	}
	verb := cmd.Args[0]
	publishes := len(verb) == len("PUBLISH") && bytes.EqualFold(verb, []byte("PUBLISH")) ||
		len(verb) == len("SPUBLISH") && bytes.EqualFold(verb, []byte("SPUBLISH"))
	s.pending.full = publishes && !s.mayPublish()
	return publishes && !s.pending.full
}

// stall stops executing the session's commands and reading from its socket
// until its answers have come.
func (l *loop) stall(s *Session) {
	s.flags |= stalled
	l.watch(s)
}

// mayGoOn reports whether what stalled the session is over.
func (s *Session) mayGoOn() bool {
	p := s.pending
	return !s.has(expecting) || p.full && len(p.slots)-p.sent <= pendingSlotsMax/2 &&
		p.bytes <= pendingBytesMax/2 && len(p.text.Buf) <= pendingTextMax/2
}

// dropPending forgets the answers of a session that is sent no more. A batch's
// stay: the command may publish more.
func (s *Session) dropPending() {
	if s.has(expecting) {
		s.pending = nil
		s.set(expecting, false)
	}
}
