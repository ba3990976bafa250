package engine

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uring hands many sends to the kernel in one system call. Each is what a
// send(2) that must not block would be: it is over when submit returns, so
// nothing is in flight between calls, and what was sent may be used again.
//
// A loop's goroutine may move between threads, so of the ring's modes those are
// left out that bind it to one; with nothing in flight they save nothing.
type uring struct {
	// Set once.
	fd                     int
	rings, entries         []byte // mapped
	sqTail, cqHead, cqTail *uint32
	sqMask, cqMask         uint32
	sqes                   []uringSQE
	cqes                   []uringCQE

	// Owned by the loop.
	tail uint32 // of the entries written; the kernel sees it at submit
}

// The parts of <linux/io_uring.h> that sending needs.
const (
	uringSetupSubmitAll = 1 << 7  // go on after a refused send; Linux 5.18
	uringSetupNoSQArray = 1 << 16 // entries are used in their order; Linux 6.6
	uringEnterGetEvents = 1 << 0
	uringOffsetSQEs     = 0x10000000
	uringOpSend         = 26
	uringSizeSQE        = 64
	uringSizeCQE        = 16
)

type uringSQE struct {
	opcode, flags   uint8
	ioprio          uint16
	fd              int32
	offset, address uint64
	length          uint32
	messageFlags    uint32
	userData        uint64
	_               [3]uint64
}

type uringCQE struct {
	userData uint64
	result   int32 // bytes sent, or a negative errno
	flags    uint32
}

type uringParams struct {
	sqEntries, cqEntries, flags, cpu, idle, features, queue uint32
	_                                                       [3]uint32
	sq, cq                                                  uringOffsets
}

// uringOffsets say where things stand in the mapped rings; sixth and seventh
// are of the SQ flags, dropped, array, of the CQ overflow, cqes, flags.
type uringOffsets struct {
	head, tail, mask, entries, fifth, sixth, seventh, _ uint32
	_                                                   uint64
}

// newUring returns a ring of sendsMax entries, or why the kernel gives none:
// many containers forbid it.
func newUring() (*uring, error) {
	params := uringParams{flags: uringSetupSubmitAll | uringSetupNoSQArray}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, sendsMax, uintptr(unsafe.Pointer(&params)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("cannot make an io_uring: %w", errno)
	}
	r := &uring{fd: int(fd)}
	if err := r.open(&params); err != nil {
		r.close()
		return nil, fmt.Errorf("cannot map an io_uring: %w", err)
	}
	return r, nil
}

func (r *uring) open(params *uringParams) (err error) {
	cqesAt := params.cq.sixth
	const protection, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED | unix.MAP_POPULATE
	if r.rings, err = unix.Mmap(r.fd, 0, int(cqesAt+params.cqEntries*uringSizeCQE), protection, flags); err != nil {
		return err
	}
	if r.entries, err = unix.Mmap(r.fd, uringOffsetSQEs, int(params.sqEntries*uringSizeSQE), protection, flags); err != nil {
		return err
	}
	word := func(offset uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.rings[offset])) }
	r.sqTail, r.cqHead, r.cqTail = word(params.sq.tail), word(params.cq.head), word(params.cq.tail)
	r.sqMask, r.cqMask = *word(params.sq.mask), *word(params.cq.mask)
	r.sqes = unsafe.Slice((*uringSQE)(unsafe.Pointer(&r.entries[0])), params.sqEntries)
	r.cqes = unsafe.Slice((*uringCQE)(unsafe.Pointer(&r.rings[cqesAt])), params.cqEntries)
	for i := range r.sqes {
		r.sqes[i].opcode, r.sqes[i].messageFlags = uringOpSend, sendFlags
	}
	return nil
}

func (r *uring) close() {
	if r.entries != nil {
		_ = unix.Munmap(r.entries)
	}
	if r.rings != nil {
		_ = unix.Munmap(r.rings)
	}
	unix.Close(r.fd)
}

// put writes the place-th entry of the next submit.
func (r *uring) put(place, fd int, b []byte) {
	e := &r.sqes[r.tail&r.sqMask]
	e.fd, e.userData = int32(fd), uint64(place)
	e.address, e.length = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))
	r.tail++
}

// submit runs the entries that were put, in their order, and sets results[i] to
// what came of the one in place i: bytes sent, or a negative errno. It returns
// how many the kernel took, the first ones; if these are not all, the ring is
// good for nothing any more. The caller keeps their bytes alive.
func (r *uring) submit(results []int32) (taken int, err error) {
	atomic.StoreUint32(r.sqTail, r.tail)
	for taken < len(results) && err == nil {
		n, _, errno := unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(len(results)-taken), 0, 0, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			err = fmt.Errorf("cannot submit to an io_uring: %w", errno)
		case n == 0:
			err = fmt.Errorf("cannot submit to an io_uring: %d of %d sends taken", taken, len(results))
		default:
			taken += int(n)
		}
	}
	for seen, head := 0, *r.cqHead; seen < taken; {
		for tail := atomic.LoadUint32(r.cqTail); head != tail; head++ {
			c := r.cqes[head&r.cqMask]
			results[c.userData] = c.result
			seen++
		}
		atomic.StoreUint32(r.cqHead, head)
		if seen < taken { // not seen to happen: sends that must not block do not wait
			_, _, _ = unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 0, uintptr(taken-seen), uringEnterGetEvents, 0, 0)
		}
	}
	return taken, err
}
