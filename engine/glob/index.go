package glob

import (
	"iter"
	"slices"
	"strings"
)

// Index is a set of patterns, each with a value, that finds the patterns which
// match a channel's name without a look at most of the others. The zero Index is
// empty and ready.
//
// It is not safe for concurrent use, but methods that only read (AppendMatches,
// Get, Len, All) may run at the same time.
type Index[T any] struct {
	patterns map[string]*entry[T] // every pattern, as it was added
	heads    node[T]              // root of the trie of heads
}

// entry is one pattern, in the list of the node of its head and tail.
type entry[T any] struct {
	mid        string // what is left of the pattern to match between head and tail
	value      T
	prev, next *entry[T]
}

// Add adds pattern with its value, or gives a pattern that is there a new value.
func (x *Index[T]) Add(pattern string, value T) {
	if e := x.patterns[pattern]; e != nil {
		e.value = value
		return
	}
	head, mid, tail := split(pattern)
	n := x.heads.insert(head)
	if tail != "" {
		if n.tails == nil {
			n.tails = &node[T]{}
		}
		n = n.tails.insert(reverse(tail))
	}
	e := &entry[T]{mid: mid, value: value, next: n.entries}
	if e.next != nil {
		e.next.prev = e
	}
	n.entries = e
	if x.patterns == nil {
		x.patterns = make(map[string]*entry[T])
	}
	x.patterns[pattern] = e
}

// Remove removes pattern and reports whether it was there.
func (x *Index[T]) Remove(pattern string) bool {
	e := x.patterns[pattern]
	if e == nil {
		return false
	}
	delete(x.patterns, pattern)
	if len(x.patterns) == 0 {
		*x = Index[T]{} // a map keeps its memory, however few keys are left
		return true
	}
	head, _, tail := split(pattern)
	n, parent := x.heads.find(head)
	if tail == "" {
		n.unlink(e)
	} else {
		t, tParent := n.tails.find(reverse(tail))
		t.unlink(e)
		t.tidy(tParent)
		if n.tails.isEmpty() {
			n.tails = nil
		}
	}
	n.tidy(parent)
	return true
}

func (n *node[T]) unlink(e *entry[T]) {
	if e.next != nil {
		e.next.prev = e.prev
	}
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		n.entries = e.next
	}
}

// Get returns the value of pattern and whether it is there.
func (x *Index[T]) Get(pattern string) (value T, ok bool) {
	e := x.patterns[pattern]
	if e == nil {
		return value, false
	}
	return e.value, true
}

// Len returns the number of patterns.
func (x *Index[T]) Len() int {
	return len(x.patterns)
}

// All yields every pattern with its value, in no order.
func (x *Index[T]) All() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for pattern, e := range x.patterns {
			if !yield(pattern, e.value) {
				return
			}
		}
	}
}

// AppendMatches appends to dst the value of each pattern that matches channel,
// in no order, and returns the extended slice. It allocates only what dst needs
// to grow.
func (x *Index[T]) AppendMatches(dst []T, channel []byte) []T {
	if len(channel) == 0 {
		if value, ok := x.Get(""); ok {
			dst = append(dst, value)
		}
		return dst
	}
	for n, rest := &x.heads, channel; n != nil; n, rest = n.below(rest) {
		dst = n.appendMatches(dst, rest)
		for t, rest := n.tails, rest; t != nil; t, rest = t.belowReversed(rest) {
			dst = t.appendMatches(dst, rest)
		}
	}
	return dst
}

// appendMatches appends the values of n's own entries that match what heads and
// tails left of a channel.
func (n *node[T]) appendMatches(dst []T, rest []byte) []T {
	for e := n.entries; e != nil; e = e.next {
		if match(e.mid, rest, false) {
			dst = append(dst, e.value)
		}
	}
	return dst
}

// split cuts a pattern in three: the literal text before the first wildcard, the
// part from the first wildcard to the last, and the literal text after that.
// head and tail are free of escapes; mid is still a pattern. Without a wildcard
// all of it is head.
func split(pattern string) (head, mid, tail string) {
	midStart, midEnd := len(pattern), len(pattern)
	for i := 0; i < len(pattern); {
		next := i + 1
		if pattern[i] != '*' {
			next, _ = matchByte(pattern, i, 0, false)
		}
		if strings.IndexByte("*?[", pattern[i]) >= 0 {
			midStart, midEnd = min(midStart, i), next
		}
		i = next
	}
	return unescape(pattern[:midStart]), pattern[midStart:midEnd], unescape(pattern[midEnd:])
}

// unescape returns the text that a pattern without wildcards matches.
func unescape(pattern string) string {
	if strings.IndexByte(pattern, '\\') < 0 {
		return pattern
	}
	text := make([]byte, 0, len(pattern))
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		text = append(text, pattern[i])
	}
	return string(text)
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
