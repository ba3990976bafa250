package engine

import (
	"errors"
	"fmt"
	"reflect"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/logging"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"
)

// This file is between a loop and gnet's poller, which calls us with each
// socket that is ready and with each task it was given. gnet's own connections
// are not used: each would hold two addresses and buffers for what it was not
// asked to send, 500 bytes that are most of what an idle subscriber costs.

// openPoller makes the loop's poller.
func (l *loop) openPoller() (err error) {
	logging.SetDefaultLoggerAndFlusher(gnetLog{l.engine.log}, nil)
	if l.poller, err = netpoll.OpenPoller(); err != nil {
		return err
	}
	polled, err := epollOf(l.poller)
	if err == nil {
		err = l.waiter.open(polled)
	}
	if err != nil {
		_ = l.poller.Close()
	}
	return err
}

// epollOf returns the epoll fd of a poller. gnet has no method for it, but it
// may be read; another version than the one in go.mod may keep it elsewhere.
func epollOf(p *netpoll.Poller) (fd int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot find the epoll of gnet's poller, is it another version? %v", r)
		}
	}()
	return int(reflect.ValueOf(p).Elem().FieldByName("fd").Int()), nil
}

// poll is the loop's goroutine.
func (l *loop) poll() {
	if err := l.poller.Polling(l.ready); !errors.Is(err, gneterrors.ErrEngineShutdown) {
		l.engine.log.Error("a loop has ended", "loop", l.id, "error", err)
	}
	for _, s := range l.sessions {
		l.close(s)
	}
}

// endPoll ends the loop's goroutine and closes what is connected.
func (l *loop) endPoll() error {
	l.waiter.expect()
	err := l.poller.Trigger(queue.HighPriority, func(any) error { return gneterrors.ErrEngineShutdown }, nil)
	if err == nil {
		l.polling.Wait()
	}
	return err
}

// ready is called for each socket that has something to read, or has come to
// its end.
func (l *loop) ready(fd int, events netpoll.IOEvent, _ netpoll.IOFlags) error {
	s := l.sessions[int32(fd)]
	if s == nil {
		return nil // it was closed since it was polled
	}
	if !netpoll.IsReadEvent(events) {
		l.hangUp(s) // there is nothing to read before the end, or the session is paused
		return nil
	}
	n, err := unix.Read(fd, l.readBuffer)
	switch {
	case n > 0:
		l.receive(s, l.readBuffer[:n])
	case n == 0:
		l.hangUp(s)
	case err == unix.EAGAIN || err == unix.EINTR:
		l.schedule()
	default:
		l.close(s)
	}
	return nil
}

// schedule makes the loop run a tick after its next poll round. Whoever
// changes something asks for it: only a tick sleeps where pokes, holds and
// blocked sockets are noticed. On the loop; others use waiter.wake.
func (l *loop) schedule() {
	if !l.ticking {
		l.ticking = true
		_ = l.poller.Trigger(queue.LowPriority, l.tick, nil) // fails only when the loop has ended
	}
}

// task has f run on the loop by way of gnet, wherever the loop sleeps, and a
// tick after it. Any goroutine.
func (l *loop) task(f func()) {
	l.waiter.expect()
	_ = l.poller.Trigger(queue.LowPriority, func(any) error {
		l.waiter.arrived()
		f()
		l.schedule()
		return nil
	}, nil) // fails only when the loop has ended
}
