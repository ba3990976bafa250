package engine

// fdSet is a set of file descriptors, which are small numbers: one bit each, so
// that a walk over thousands of sessions need not touch the sessions.
type fdSet []uint64

func (s *fdSet) add(fd int32) {
	word := int(fd >> 6)
	for word >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[word] |= 1 << (fd & 63)
}

func (s fdSet) remove(fd int32) {
	if word := int(fd >> 6); word < len(s) {
		s[word] &^= 1 << (fd & 63)
	}
}

func (s fdSet) has(fd int32) bool {
	word := int(fd >> 6)
	return word < len(s) && s[word]&(1<<(fd&63)) != 0
}
