package glob

import (
	"bytes"
	"slices"
	"strings"
)

// node is a node of a radix trie. A trie is its root, the one node whose label
// is empty.
//
//	""─┬─"idle:"─┬─"1:"   entries "*"                   idle:1:*
//	   │         └─"2:"   entries "*"                   idle:2:*
//	   └─"user:"  tails──▶""───"gol:"   entries "*"     user:*:log
//
// Invariant: every node but the root is in use (entries or tails) or has two
// children or more. So a trie has fewer than twice as many nodes as keys, and a
// removal touches a node, its parent and nothing above.
type node[T any] struct {
	label    string     // the bytes between the parent and here; owned, never part of a pattern
	edges    []byte     // the first byte of each child's label
	children []*node[T] // in the order of edges
	entries  *entry[T]  // the patterns whose key ends here: a doubly linked list
	tails    *node[T]   // in a trie of heads only: the trie of what patterns with this head end with
}

// insert returns the node of key in the trie of root n, a new one if need be.
func (n *node[T]) insert(key string) *node[T] {
	for key != "" {
		i := bytes.IndexByte(n.edges, key[0])
		if i < 0 {
			leaf := &node[T]{label: strings.Clone(key)}
			n.edges = append(n.edges, key[0])
			n.children = append(n.children, leaf)
			return leaf
		}
		shared := commonPrefix(n.children[i].label, key)
		if shared < len(n.children[i].label) {
			n.fork(i, shared)
		}
		n, key = n.children[i], key[shared:]
	}
	return n
}

// fork puts a node between n and its child i, at the given length of the child's
// label.
func (n *node[T]) fork(i, length int) {
	lower := n.children[i]
	upper := &node[T]{
		label:    strings.Clone(lower.label[:length]),
		edges:    []byte{lower.label[length]},
		children: []*node[T]{lower},
	}
	lower.label = strings.Clone(lower.label[length:])
	n.children[i] = upper
}

// find returns the node of a key that is in the trie of root n, and its parent,
// which is nil for the root.
func (n *node[T]) find(key string) (found, parent *node[T]) {
	for key != "" {
		child := n.children[bytes.IndexByte(n.edges, key[0])]
		parent, n, key = n, child, key[len(child.label):]
	}
	return n, parent
}

// tidy restores the invariant after n, a child of parent, lost an entry or its
// tails.
func (n *node[T]) tidy(parent *node[T]) {
	if parent == nil || n.inUse() {
		return
	}
	if len(n.children) == 0 {
		parent.cut(n)
		n = parent
	}
	if n.label != "" && !n.inUse() && len(n.children) == 1 {
		n.absorb(n.children[0])
	}
}

// cut removes a child.
func (n *node[T]) cut(child *node[T]) {
	i, last := bytes.IndexByte(n.edges, child.label[0]), len(n.edges)-1
	n.edges[i], n.children[i] = n.edges[last], n.children[last]
	n.edges, n.children = n.edges[:last], slices.Delete(n.children, last, last+1)
	if last == 0 {
		n.edges, n.children = nil, nil
	}
}

// absorb makes n and its only child one node.
func (n *node[T]) absorb(child *node[T]) {
	label := n.label + child.label
	*n = *child
	n.label = label
}

func (n *node[T]) inUse() bool {
	return n.entries != nil || n.tails != nil
}

func (n *node[T]) isEmpty() bool {
	return !n.inUse() && len(n.children) == 0
}

// below returns the child whose label rest begins with and what follows the
// label in rest, or nil.
func (n *node[T]) below(rest []byte) (*node[T], []byte) {
	if len(rest) == 0 {
		return nil, nil
	}
	i := bytes.IndexByte(n.edges, rest[0])
	if i < 0 {
		return nil, nil
	}
	child := n.children[i]
	length := len(child.label)
	if len(rest) < length || string(rest[:length]) != child.label {
		return nil, nil
	}
	return child, rest[length:]
}

// belowReversed is below in a trie of reversed keys: it takes rest from its end.
func (n *node[T]) belowReversed(rest []byte) (*node[T], []byte) {
	if len(rest) == 0 {
		return nil, nil
	}
	i := bytes.IndexByte(n.edges, rest[len(rest)-1])
	if i < 0 {
		return nil, nil
	}
	child := n.children[i]
	left := len(rest) - len(child.label)
	if left < 0 {
		return nil, nil
	}
	for j := range len(child.label) {
		if rest[len(rest)-1-j] != child.label[j] {
			return nil, nil
		}
	}
	return child, rest[:left]
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
