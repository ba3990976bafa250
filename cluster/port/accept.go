package port

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

// accept takes connections until the listener is closed. Lack of file
// descriptors or memory makes it rest and try again.
func (p *Port) accept() {
	var pause time.Duration
	for {
		raw, err := p.listener.Accept()
		if err != nil {
			if p.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			if pause = min(max(2*pause, time.Millisecond), acceptPauseMax); pause == acceptPauseMax {
				p.refusals.warn("cannot accept other nodes, trying again", "error", err)
			}
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(pause):
			}
			continue
		}
		pause = 0
		c, err := p.track(raw)
		if err != nil {
			return
		}
		p.begin(c)
		p.running.Add(1)
		go p.serve(c)
	}
}

// begin counts a connection among those that greet. If there are too many the
// oldest has to go: a node does not take so long.
func (p *Port) begin(c *conn) {
	p.mu.Lock()
	p.greeting = append(p.greeting, c)
	var oldest *conn
	if len(p.greeting) > greetingsMax {
		oldest = p.greeting[0]
		oldest.crowded = true
		p.greeting = slices.Delete(p.greeting, 0, 1)
	}
	p.mu.Unlock()
	if oldest != nil {
		oldest.Conn.Close()
	}
}

// end takes it from them again and reports whether it was ended.
func (p *Port) end(c *conn) (crowded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.greeting, c); i >= 0 {
		p.greeting = slices.Delete(p.greeting, i, i+1)
	}
	return c.crowded
}

// serve greets an accepted connection and hands it over.
func (p *Port) serve(c *conn) {
	w := welcome{port: p, conn: c}
	handler, err := w.run()
	crowded := p.end(c)
	if err != nil || crowded {
		c.Close()
		if p.ctx.Err() == nil {
			p.refusals.refuse(c.RemoteAddr(), w.kind, refusalOf(err, crowded))
		}
		p.running.Done()
		return
	}
	p.accepted.Add(1)
	p.running.Done()
	if handler == nil { // a Hello that nobody wants to know of
		c.Close()
		return
	}
	c.SetDeadline(time.Time{})
	handler(c, w.peer)
}

// refusalOf gives the end of a greeting its reason.
func refusalOf(err error, crowded bool) *Refused {
	var refused *Refused
	switch {
	case crowded:
		return &Refused{Reason: TooMany}
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, errMalformed):
		return &Refused{Reason: Malformed}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Refused{Reason: TooSlow}
	}
	return &Refused{Reason: Aborted}
}

// welcome is the acceptor's side of a greeting.
type welcome struct {
	port *Port
	conn *conn
	kind Kind
	peer Greeting
}

// run greets. The handler may be nil for a Hello, which needs none.
func (w *welcome) run() (Handler, error) {
	p, c := w.port, w.conn
	c.SetDeadline(time.Now().Add(greetingTimeout))

	var kind [1]byte
	if _, err := io.ReadFull(c, kind[:]); err != nil {
		return nil, err
	}
	w.kind = Kind(kind[0])
	said := newTranscript(w.kind)
	theirs, err := readFrame(c, openingBytesMax)
	if err != nil {
		return nil, err
	}
	said.add(theirs)
	peer, err := parseOpening(theirs)
	if err != nil {
		return nil, err
	}
	own := p.opening()
	ours := encode(own)
	said.add(ours)
	if _, err := c.Write(appendFrame(nil, ours)); err != nil {
		return nil, err
	}
	if refused := compare(own, peer); refused != nil {
		return nil, refused // the dialer has found the same
	}

	theirs, err = readFrame(c, greetingBytesMax)
	if err != nil {
		return nil, err
	}
	said.add(theirs)
	if p.key != nil {
		var proof [proofBytes]byte
		if _, err := io.ReadFull(c, proof[:]); err != nil {
			return nil, err
		}
		if !said.proved(p.key, dialer, proof[:]) {
			c.Write(appendFrame(nil, encode(answer{Refused: WrongSecret})))
			return nil, &Refused{Reason: WrongSecret, detail: "the secrets differ"}
		}
	}
	h, err := parse[hello](theirs)
	if err != nil {
		return nil, err
	}
	w.peer = h.Greeting
	w.peer.Min, w.peer.Max = peer.Min, peer.Max

	handler := p.handler(w.kind)
	greeting := p.own()
	verdict := answer{Greeting: &greeting}
	refused := judge(greeting, w.peer, w.kind, h.To, handler != nil)
	if refused != nil {
		verdict.Refused = refused.Reason
	}
	ours = encode(verdict)
	said.add(ours)
	reply := appendFrame(nil, ours)
	if p.key != nil {
		reply = append(reply, said.proof(p.key, acceptor)...)
	}
	if _, err := c.Write(reply); err != nil {
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return handler, nil
}

// opening returns the first thing that this side says.
func (p *Port) opening() opening {
	nonce := make([]byte, nonceBytes)
	rand.Read(nonce) // never fails
	return opening{Min: versionMin, Max: versionMax, Nonce: nonce, Secret: p.key != nil}
}
