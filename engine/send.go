package engine

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// send is bytes on their way to one socket: what a walk brings, or the output
// of the session.
type send struct {
	session *Session
	fd      int32
	v3      bool
	bytes   []byte
	parcels []parcel // in that protocol, joined, they are bytes; nil: bytes are session.out.Buf
}

// gather adds a send to those that are made together.
func (l *loop) gather(s send) {
	if l.gathered = append(l.gathered, s); len(l.gathered) == sendsMax {
		l.sendGathered()
	}
}

// sendGathered makes the sends: in one system call, if they are enough for it
// and the kernel has it.
func (l *loop) sendGathered() {
	gathered, taken := l.gathered, 0
	if l.uring != nil && len(gathered) >= sendsTogetherMin {
		taken = l.sendTogether(gathered)
	}
	for i := taken; i < len(gathered); i++ {
		g := &gathered[i]
		n, alive := sendto(int(g.fd), g.bytes)
		l.sent(g, n, alive)
	}
	clear(gathered)
	l.gathered = gathered[:0]
}

// sendTogether is the one system call. It returns how many sends it has made,
// the first ones: all, or the ring is given up.
func (l *loop) sendTogether(gathered []send) (taken int) {
	for i := range gathered {
		l.uring.put(i, int(gathered[i].fd), gathered[i].bytes)
	}
	var results [sendsMax]int32
	taken, err := l.uring.submit(results[:len(gathered)])
	runtime.KeepAlive(gathered)
	if err != nil {
		l.engine.log.Warn("sending without io_uring from now on", "loop", l.id, "error", err)
		l.uring.close()
		l.uring = nil
	}
	for i := range gathered[:taken] {
		g, n := &gathered[i], results[i]
		switch {
		case n >= 0:
			l.sent(g, int(n), true)
		case n == -int32(unix.EINTR):
			l.sent(g, 0, true) // the poller tells at once that the socket takes more
		default:
			l.sent(g, 0, refusal(syscall.Errno(-n)))
		}
	}
	return taken
}

// sent takes note of what a socket took of a send.
func (l *loop) sent(g *send, n int, alive bool) {
	l.tally.sends++
	l.tally.outputBytes += int64(n)
	switch s := g.session; {
	case g.parcels == nil:
		l.answered(s, n, alive)
	case n == len(g.bytes):
	case !alive:
		l.doom(s, closedByPeer)
	default:
		l.touch(s)
		for i := range g.parcels {
			if size := len(l.bytes(&g.parcels[i], g.v3)); n >= size {
				n -= size
				continue
			}
			s.owe(l.keep(&g.parcels[i], g.v3)[n:])
			n = 0
		}
		l.await(s)
	}
}

const sendFlags = unix.MSG_NOSIGNAL | unix.MSG_DONTWAIT

// sendto sends what the socket takes at once; alive is false when the
// connection is lost. The call cannot block, so the scheduler is not told.
func sendto(fd int, b []byte) (sent int, alive bool) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), sendFlags, 0, 0)
		switch errno {
		case 0:
			return int(n), true
		case unix.EINTR:
		default:
			return 0, refusal(errno)
		}
	}
}

func sendChunks(fd int, chunks [][]byte) (sent int, alive bool) {
	for {
		n, err := unix.SendmsgBuffers(fd, chunks, nil, nil, sendFlags)
		switch err {
		case nil:
			return n, true
		case unix.EINTR:
		default:
			errno, _ := err.(syscall.Errno)
			return 0, refusal(errno)
		}
	}
}

// refusal reports whether a connection that refused bytes is alive: its buffer
// is full, or the kernel short of memory.
func refusal(errno syscall.Errno) (alive bool) {
	return errno == unix.EAGAIN || errno == unix.ENOBUFS || errno == unix.ENOMEM
}
