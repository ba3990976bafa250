package engine

import "testing"

func TestFDSet(t *testing.T) {
	var s fdSet
	if s.has(0) || s.has(1000) {
		t.Error("an empty set has something")
	}
	s.remove(1000)
	for _, fd := range []int32{0, 63, 64, 1000} {
		s.add(fd)
	}
	s.remove(63)
	for fd := range int32(2000) {
		if got, want := s.has(fd), fd == 0 || fd == 64 || fd == 1000; got != want {
			t.Errorf("has(%d) = %v", fd, got)
		}
	}
}
