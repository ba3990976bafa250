package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"hubsub/cluster/placement"
)

// Dial connects to the port at an address, for a kind other than Hello. If to is
// not empty, only that process will do. The error is a *Refused if the two do not
// fit, and one of the network otherwise.
func (p *Port) Dial(ctx context.Context, k Kind, address string, to placement.Name) (net.Conn, Greeting, error) {
	c, peer, err := p.dial(ctx, k, address, to)
	if err != nil {
		return nil, Greeting{}, err
	}
	return c, peer, nil
}

// Hello asks who is at an address, in whichever cluster. That may be this
// process.
func (p *Port) Hello(ctx context.Context, address string) (Greeting, error) {
	c, peer, err := p.dial(ctx, Hello, address, "")
	if err != nil {
		return Greeting{}, err
	}
	c.Close()
	return peer, nil
}

func (p *Port) dial(ctx context.Context, k Kind, address string, to placement.Name) (*conn, Greeting, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.ctx, cancel)()

	c, err := p.connect(ctx, address)
	if err != nil {
		return nil, Greeting{}, err
	}
	c.SetDeadline(time.Now().Add(greetingTimeout))
	unwatch := context.AfterFunc(ctx, func() { c.Conn.Close() })
	peer, err := p.greet(c, k, to)
	if !unwatch() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.SetDeadline(time.Time{})
	}
	if err != nil {
		c.Close()
		var refused *Refused
		switch {
		case errors.As(err, &refused):
		case p.ctx.Err() != nil:
			err = net.ErrClosed
		case ctx.Err() != nil:
			err = ctx.Err()
		}
		return nil, Greeting{}, fmt.Errorf("cannot greet %s: %w", address, err)
	}
	p.dialed.Add(1)
	return c, peer, nil
}

// connect dials without greeting.
func (p *Port) connect(ctx context.Context, address string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := p.network.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return p.track(raw)
}

// greet is the dialer's side of a greeting.
func (p *Port) greet(c *conn, k Kind, to placement.Name) (Greeting, error) {
	said := newTranscript(k)
	own := p.opening()
	ours := encode(own)
	said.add(ours)
	if _, err := c.Write(appendFrame([]byte{byte(k)}, ours)); err != nil {
		return Greeting{}, err
	}
	theirs, err := readFrame(c, openingBytesMax)
	if err != nil {
		return Greeting{}, err
	}
	said.add(theirs)
	peer, err := parseOpening(theirs)
	if err != nil {
		return Greeting{}, err
	}
	if refused := compare(own, peer); refused != nil {
		return Greeting{}, refused
	}

	greeting := p.own()
	ours = encode(hello{Greeting: greeting, To: to})
	said.add(ours)
	message := appendFrame(nil, ours)
	if p.key != nil {
		message = append(message, said.proof(p.key, dialer)...)
	}
	if _, err := c.Write(message); err != nil {
		return Greeting{}, err
	}

	theirs, err = readFrame(c, greetingBytesMax)
	if err != nil {
		return Greeting{}, err
	}
	said.add(theirs)
	a, err := parse[answer](theirs)
	if err != nil {
		return Greeting{}, err
	}
	if a.Refused == WrongSecret {
		return Greeting{}, &Refused{Reason: WrongSecret, detail: "the secrets differ"}
	}
	if p.key != nil {
		var proof [proofBytes]byte
		if _, err := io.ReadFull(c, proof[:]); err != nil {
			return Greeting{}, err
		}
		if !said.proved(p.key, acceptor, proof[:]) {
			return Greeting{}, &Refused{Reason: WrongSecret, detail: "the other side has proved nothing"}
		}
	}
	if a.Greeting == nil {
		return Greeting{}, errMalformed
	}
	a.Greeting.Min, a.Greeting.Max = peer.Min, peer.Max
	if a.Refused != "" {
		return Greeting{}, understand(a.Refused, greeting, *a.Greeting, k, to)
	}
	return *a.Greeting, nil
}
