package lane

import (
	"bytes"
	"cmp"
	"slices"
)

// tally says how many clients of a node hear what in a room. Its zero value is
// empty.
type tally struct {
	counts   map[name]int64
	patterns []heard // those of the counts
}

// heard is a pattern and how many hear it.
type heard struct {
	pattern []byte
	clients int64
}

func (t *tally) empty() bool { return len(t.counts) == 0 }

func (t *tally) set(n name, clients int64) {
	if clients <= 0 {
		delete(t.counts, n)
	} else {
		if t.counts == nil {
			t.counts = make(map[name]int64, 1)
		}
		t.counts[n] = clients
	}
	if n.kind == Pattern {
		t.setPattern(n.text, clients)
	}
}

func (t *tally) setPattern(text string, clients int64) {
	at := slices.IndexFunc(t.patterns, func(h heard) bool { return string(h.pattern) == text })
	switch {
	case at < 0 && clients > 0:
		t.patterns = append(t.patterns, heard{[]byte(text), clients})
	case at >= 0 && clients > 0:
		t.patterns[at].clients = clients
	case at >= 0:
		t.patterns = slices.Delete(t.patterns, at, at+1)
	}
}

func (t *tally) clear() {
	clear(t.counts)
	t.patterns = nil
}

// named returns how many hear a channel by its name.
func (t *tally) named(kind Kind, channel []byte) int64 { return t.counts[name{kind, string(channel)}] }

// hears returns how many hear it by its name and by patterns of the room.
func (t *tally) hears(kind Kind, channel []byte, match func(pattern, name []byte) bool) int64 {
	clients := t.named(kind, channel)
	if kind == Channel {
		for i := range t.patterns {
			if h := &t.patterns[i]; match(h.pattern, channel) {
				clients += h.clients
			}
		}
	}
	return clients
}

// clients returns how many subscriptions there are.
func (t *tally) clients() (n int64) {
	for _, clients := range t.counts {
		n += clients
	}
	return n
}

// list is a list of items that is made again and again.
type list struct {
	items []Item
	names []byte // of the items
}

func (l *list) reset() {
	clear(l.items)
	l.items, l.names = l.items[:0], l.names[:0]
}

func (l *list) add(n name, clients int64) {
	from := len(l.names)
	l.names = append(l.names, n.text...)
	l.items = append(l.items, Item{n.kind, l.names[from:len(l.names):len(l.names)], clients})
}

// addAll adds a tally, sorted: what is sent shall not depend on a map's order.
func (l *list) addAll(t *tally) {
	from := len(l.items)
	for n, clients := range t.counts {
		l.add(n, clients)
	}
	slices.SortFunc(l.items[from:], func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Name, b.Name))
	})
}

// fit returns how many items one announcement holds.
func fit(items []Item) int {
	size := 0
	for n := range items {
		if size += len(items[n].Name); n >= itemsMax || n > 0 && size > itemsBytesMax {
			return n
		}
	}
	return len(items)
}
