package command

import "hubsub/engine"

// memory is what the commands keep for one client beyond what the engine does.
// Few clients need one: most connections never have it.
type memory struct {
	tx       *transaction // what was queued since MULTI, or nil
	skip     skip
	tracking *tracking // or nil: off
	noEvict  bool
	noTouch  bool
	rooms    allowance // of ROOM GET
}

// skip is where CLIENT REPLY SKIP is.
type skip uint8

const (
	noSkip skip = iota
	skipNext
	skipping
)

// recall returns the client's memory, or nil.
func recall(s *engine.Session) *memory {
	m, _ := s.Context.(*memory)
	return m
}

// memory returns the client's memory, which it now has.
func (c call) memory() *memory {
	m := recall(c.s)
	if m == nil {
		m = &memory{}
		c.s.Context = m
	}
	return m
}

// endCommand lets CLIENT REPLY SKIP reach the next command, and end after it.
func (m *memory) endCommand(s *engine.Session) {
	switch m.skip {
	case skipNext:
		s.Mute(true)
		m.skip = skipping
	case skipping:
		s.Mute(false)
		m.skip = noSkip
	}
}

// identify changes what other clients see of this one in CLIENT LIST.
func identify(s *engine.Session, change func(*engine.Identity)) {
	id := identity(s)
	change(&id)
	s.Identity.Store(&id)
}

// identity returns what the client said of itself. Any goroutine.
func identity(s *engine.Session) engine.Identity {
	if id := s.Identity.Load(); id != nil {
		return *id
	}
	return engine.Identity{Queued: -1}
}

// showFlags puts the client's CLIENT LIST letters where others see them.
func (m *memory) showFlags(s *engine.Session) {
	letters := ""
	if m.tracking != nil {
		letters += "t"
		if m.tracking.broadcast {
			letters += "B"
		}
	}
	if m.noEvict {
		letters += "e"
	}
	if m.noTouch {
		letters += "T"
	}
	identify(s, func(id *engine.Identity) { id.Flags, id.Lasting = letters, m.noEvict })
}
