package placement

// session is what the leader remembers of one asker, who asks again when an
// answer is late: a question has its effect once in a term, and is answered as it
// was then. Done again it could bring back a room that was deleted since. Over a
// change of leaders it may have it twice, and a room be made again that somebody
// has just deleted; it closes when nobody uses it.
type session struct {
	open uint64          // the lowest tag without an answer
	done map[uint64]Told // what was answered to tags from open on
}

func (d *Decider) session(asker Name) *session {
	s := d.sessions[asker]
	if s == nil {
		s = &session{done: make(map[uint64]Told)}
		d.sessions[asker] = s
	}
	return s
}

// advance forgets what cannot be asked any more.
func (s *session) advance(open uint64) {
	if open <= s.open {
		return
	}
	s.open = open
	for tag := range s.done {
		if tag < open {
			delete(s.done, tag)
		}
	}
}
