package engine

import (
	"errors"
	"time"
)

// Shutdown stops accepting, sends what is queued, closes each connection once
// its socket has taken all, and ends the loops. Clients that do not read in
// time (shutdownTimeMax for all together) lose the rest.
func (e *Engine) Shutdown() error {
	deadline := time.NewTimer(shutdownTimeMax)
	defer deadline.Stop()
	close(e.quit)
	var errs []error
	for _, ln := range e.listeners {
		errs = append(errs, ln.close())
	}
	e.running.Wait()
	if !e.dismiss(deadline.C) {
		e.log.Warn("closing clients that did not read all in time", "clients", e.connections.Load(), "bytes", e.backlog.Load())
	}
	for _, l := range e.loops {
		errs = append(errs, l.stop())
	}
	e.late.Lock()
	e.over = true
	e.late.Unlock()
	for _, l := range e.loops { // now that nobody wakes one
		l.release()
	}
	return errors.Join(errs...)
}

// dismiss lets all clients go and reports whether they have gone before the
// time is over.
func (e *Engine) dismiss(over <-chan time.Time) bool {
	gone := make(chan struct{})
	go func() {
		e.each((*loop).deafen) // what one loop has answered, another is to send
		e.each((*loop).dismiss)
		e.lingering.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return true
	case <-over:
		return false
	}
}

// each calls a function for each loop that has started, and waits for what the
// calls return.
func (e *Engine) each(begin func(*loop) <-chan struct{}) {
	var ends []<-chan struct{}
	for _, l := range e.loops {
		if l.started {
			ends = append(ends, begin(l))
		}
	}
	for _, end := range ends {
		<-end
	}
}

// deafen executes no more commands. Once the channel is closed, all that the
// loop has published is in the logs.
func (l *loop) deafen() <-chan struct{} {
	done := make(chan struct{})
	l.post(func() {
		l.deaf = true
		l.flush()
		close(done)
	})
	return done
}

// dismiss sends the loop's clients what is queued, held messages too, and
// closes each once it has all. Then the channel is closed.
func (l *loop) dismiss() <-chan struct{} {
	gone := make(chan struct{})
	l.post(func() {
		l.settleAll()
		for _, s := range l.sessions {
			s.Finish()
		}
		l.deserted = gone
		l.flush()
		if len(l.sessions) == 0 {
			l.desert()
		}
	})
	return gone
}

// desert tells who waits for it that the last client is gone.
func (l *loop) desert() {
	if l.deserted != nil {
		close(l.deserted)
		l.deserted = nil
	}
}

// stop ends the loop's goroutine, which closes what is connected.
func (l *loop) stop() error {
	if !l.started {
		return nil
	}
	l.post(func() { l.ended = true })
	l.running.Wait()
	return nil
}

// release closes what the loop owns, after its goroutine has ended.
func (l *loop) release() {
	if l.poller.fd >= 0 {
		l.poller.close()
	}
	if l.uring != nil {
		l.uring.close()
	}
}
