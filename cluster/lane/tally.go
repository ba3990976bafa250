package lane

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// tally says how many clients of a node hear what in a room. Its zero value is
// empty. Most rooms have a channel or two, so a few names stand in a list: a map
// of one takes six times the memory.
type tally struct {
	few      []count
	many     map[name]int64 // if there are more than tallyFewMax
	patterns []heard        // those among the names
}

// count is a name and how many hear it.
type count struct {
	name
	clients int64
}

// heard is a pattern and how many hear it.
type heard struct {
	pattern []byte
	clients int64
}

func (t *tally) empty() bool { return len(t.few)+len(t.many) == 0 }

func (t *tally) set(n name, clients int64) {
	at := slices.IndexFunc(t.few, func(c count) bool { return c.name == n })
	switch {
	case t.many != nil && clients > 0:
		t.many[n] = clients
	case t.many != nil:
		if delete(t.many, n); len(t.many) == 0 {
			t.many = nil
		}
	case at >= 0 && clients > 0:
		t.few[at].clients = clients
	case at >= 0:
		if t.few = slices.Delete(t.few, at, at+1); len(t.few) == 0 {
			t.few = nil
		}
	case clients > 0 && len(t.few) < tallyFewMax:
		t.few = append(t.few, count{n, clients})
	case clients > 0:
		t.many = make(map[name]int64, 2*tallyFewMax)
		for _, c := range t.few {
			t.many[c.name] = c.clients
		}
		t.many[n], t.few = clients, nil
	}
	if n.kind == Pattern {
		t.setPattern(n.text, clients)
	}
}

// of returns how many hear a name, all the names with how many do.
func (t *tally) of(n name) int64 {
	for i := range t.few {
		if t.few[i].name == n {
			return t.few[i].clients
		}
	}
	return t.many[n]
}

func (t *tally) all() iter.Seq2[name, int64] {
	return func(yield func(name, int64) bool) {
		for _, c := range t.few {
			if !yield(c.name, c.clients) {
				return
			}
		}
		for n, clients := range t.many {
			if !yield(n, clients) {
				return
			}
		}
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

func (t *tally) clear() { *t = tally{} }

// named returns how many hear a channel by its name.
func (t *tally) named(kind Kind, channel []byte) int64 {
	for i := range t.few {
		if c := &t.few[i]; c.kind == kind && c.text == string(channel) {
			return c.clients
		}
	}
	return t.many[name{kind, string(channel)}]
}

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
	for _, clients := range t.all() {
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
	for n, clients := range t.all() {
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
