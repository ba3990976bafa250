package lane

import (
	"slices"
	"time"
)

// bulletin is what a node's clients hear, as it is told to other nodes, its
// readers. Each issue tells what has changed since the one before. A reader is told
// all when it is new or its link has broken, and again until it has said that it
// knows: so what one knows whose acknowledgement was heard is never older than that.
type bulletin struct {
	tally
	changed []name // since the last issue; not collected while there is no reader
	serial  uint64 // of the last issue; 0: there was none
	readers []reader
	dirty   bool // something has changed since the last issue
	blank   bool // there was nothing to hear in the last issue: readers may have forgotten this node
}

type reader struct {
	peer  Peer
	whole uint64        // the serial of what told it all; 0: nothing has
	told  uint64        // that of what it was told last
	acked uint64        // and that of the last that it has said it knows
	due   time.Duration // when to tell it all again, if it has not said so by then
	tries int           // how often it was told in vain
	again bool          // it is told all again, though it may know it
	met   bool          // it has answered something
	away  uint8         // how often it has said that it is no host, since it last knew something
}

// lacks reports whether a reader has not said that it knows an issue; lags, whether
// it has not said that it knows all that it was told.
func (r *reader) lacks(issue uint64) bool { return r.whole == 0 || r.acked < issue }
func (r *reader) lags() bool              { return r.lacks(r.told) }

// change notes that so many clients more hear a name, or fewer.
func (b *bulletin) change(n name, delta int64) {
	b.set(n, b.of(n)+delta)
	b.dirty = true
	if len(b.readers) > 0 && !slices.Contains(b.changed[max(len(b.changed)-8, 0):], n) { // once more does no harm
		b.changed = append(b.changed, n)
	}
}

// address makes these its readers. It appends to gone who is none any more, and may
// believe what it was told.
func (b *bulletin) address(peers, gone []Peer) []Peer {
	b.readers = slices.DeleteFunc(b.readers, func(r reader) bool {
		is := slices.Contains(peers, r.peer)
		if !is && r.whole > 0 {
			gone = append(gone, r.peer)
		}
		return !is
	})
	for _, p := range peers {
		if b.reader(p) == nil {
			b.readers = append(b.readers, reader{peer: p})
		}
	}
	if len(b.readers) == 0 {
		b.changed = nil
	}
	return gone
}

func (b *bulletin) reader(p Peer) *reader {
	for i := range b.readers {
		if b.readers[i].peer == p {
			return &b.readers[i]
		}
	}
	return nil
}

// renew has a reader be told all in the next issue.
func (b *bulletin) renew(p Peer) {
	if r := b.reader(p); r != nil {
		*r = reader{peer: p}
	}
}

// repeat has a reader be told all that asks for it. It may be so that it knows all:
// what it has said holds.
func (b *bulletin) repeat(p Peer) {
	if r := b.reader(p); r != nil {
		r.again = true
	}
}

// repeatAll has all be told all again. Who has been told nothing yet is told all anyway.
func (b *bulletin) repeatAll() {
	for i := range b.readers {
		b.readers[i].again = b.readers[i].whole > 0
	}
}

func (b *bulletin) renewAll() {
	for i := range b.readers {
		b.readers[i] = reader{peer: b.readers[i].peer}
	}
}

// acked returns the last issue that a reader has said it knows; 0: none.
func (b *bulletin) acked(p Peer) uint64 {
	if r := b.reader(p); r != nil && r.whole > 0 {
		return r.acked
	}
	return 0
}

// acknowledged takes that a reader knows an issue. It reports whether the reader was
// told all until then.
func (b *bulletin) acknowledged(p Peer, serial uint64) bool {
	r := b.reader(p)
	if r == nil || r.whole == 0 || serial < r.whole || serial > r.told {
		return false
	}
	r.acked, r.tries, r.met, r.away = max(r.acked, serial), 0, true, 0
	return true
}

// knows reports whether a reader has said that it knows an issue.
func (b *bulletin) knows(p Peer, serial uint64) bool {
	r := b.reader(p)
	return r != nil && !r.lacks(serial)
}

// known reports whether all readers know all.
func (b *bulletin) known() bool {
	if b.serial == 0 {
		return !b.dirty
	}
	return !b.dirty && !slices.ContainsFunc(b.readers, func(r reader) bool { return r.lags() })
}

// next returns when there is something to tell: now, if it is 0.
func (b *bulletin) next() time.Duration {
	next := time.Duration(never)
	if b.dirty {
		return 0
	}
	for i := range b.readers {
		switch r := &b.readers[i]; {
		case r.again:
			return 0
		case r.lags():
			next = min(next, r.due)
		}
	}
	return next
}

// issue tells the readers what they have to know. The serial is the last that was
// used by whoever these readers may take for this one. Each is sent a record that
// tells all (Reset), with a serial of its own, or what has changed; of several
// records the last has the serial.
func (b *bulletin) issue(now time.Duration, serial *uint64, l *list, send func(to Peer, flags uint8, serial uint64, items []Item) bool) {
	if b.dirty || b.serial == 0 {
		*serial++
		b.serial = *serial
	}
	l.reset()
	for _, n := range b.changed {
		l.add(n, b.of(n))
	}
	changed := len(l.items)
	listed := false
	for i := range b.readers {
		r := &b.readers[i]
		items, flags := l.items[:changed], uint8(0)
		switch {
		case r.lags() && now >= r.due, b.blank && b.dirty, r.again:
			if !listed {
				listed = true
				l.addAll(&b.tally)
			}
			items, flags = l.items[changed:], Reset
			*serial++ // what it has said before does not count
			r.whole, r.told, r.again = *serial, *serial, false
			r.due = now + announceInterval<<min(r.tries, 3)
			r.tries++
		case r.whole == 0 || changed == 0:
			continue
		default:
			if !r.lags() {
				r.due = now + announceInterval
			}
			r.told = b.serial
		}
		if !b.tell(r.peer, flags, r.told, items, send) {
			r.whole, r.acked = 0, 0
			r.due = now + retryInterval<<min(r.tries, 3)
		}
	}
	b.dirty, b.blank, b.changed = false, b.empty(), b.changed[:0]
	if cap(b.changed) > 64 {
		b.changed = nil
	}
}

func (b *bulletin) tell(to Peer, flags uint8, told uint64, items []Item, send func(to Peer, flags uint8, serial uint64, items []Item) bool) bool {
	for {
		part := items[:fit(items)]
		items = items[len(part):]
		serial := uint64(0)
		if len(items) == 0 {
			serial = told
		}
		if !send(to, flags, serial, part) {
			return false
		}
		if flags = 0; len(items) == 0 {
			return true
		}
	}
}
