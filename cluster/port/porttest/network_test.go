package porttest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/bubble"
)

const a, b = "10.0.0.1:7000", "10.0.0.2:7000"

// pair returns a connection from a to b.
func pair(t *testing.T, n *Network) (near, far net.Conn) {
	t.Helper()
	ln, err := n.At(b).Listen(b)
	if err != nil {
		t.Fatal(err)
	}
	near, err = n.At(a).Dial(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	far, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return near, far
}

func says(t *testing.T, from, to net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(from, what); err != nil {
		t.Fatal(err)
	}
	hears(t, to, what)
}

func hears(t *testing.T, to net.Conn, what string) {
	t.Helper()
	got := make([]byte, len(what))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != what {
		t.Fatalf("heard %q, %v; want %q", got, err, what)
	}
}

func fails(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func inBubble(t *testing.T, f func(t *testing.T, n *Network)) {
	bubble.Test(t, func(t *testing.T) { f(t, New()) })
}

func TestBothDirections(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		near, far := pair(t, n)
		says(t, near, far, "ping")
		says(t, far, near, "pong")
		if near.LocalAddr().String() != a || near.RemoteAddr().String() != b || far.RemoteAddr().String() != a {
			t.Fatal("wrong addresses")
		}
		io.WriteString(near, "last")
		near.Close()
		hears(t, far, "last")
		_, err := far.Read(make([]byte, 1))
		fails(t, err, io.EOF)
		_, err = far.Write([]byte("x"))
		fails(t, err, syscall.EPIPE)
		_, err = near.Read(make([]byte, 1))
		fails(t, err, net.ErrClosed)
	})
}

func TestDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		near, far := pair(t, n)
		near.SetReadDeadline(time.Now().Add(time.Second))
		_, err := near.Read(make([]byte, 1))
		fails(t, err, os.ErrDeadlineExceeded)
		near.SetReadDeadline(time.Time{})
		says(t, far, near, "again")

		// A peer that does not read: a write is taken up to the buffer.
		near.SetWriteDeadline(time.Now().Add(time.Second))
		wrote, err := near.Write(make([]byte, bufferBytes+1))
		fails(t, err, os.ErrDeadlineExceeded)
		if wrote != bufferBytes {
			t.Fatalf("wrote %d", wrote)
		}
		near.SetWriteDeadline(time.Time{})
		done := make(chan error)
		go func() { _, err := near.Write([]byte("x")); done <- err }()
		synctest.Wait()
		io.ReadFull(far, make([]byte, bufferBytes+1))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestCutHoldsAndHealDelivers(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		near, far := pair(t, n)
		n.CutOneWay(a, b)
		says(t, far, near, "back")
		io.WriteString(near, "there")
		far.SetReadDeadline(time.Now().Add(time.Second))
		_, err := far.Read(make([]byte, 1))
		fails(t, err, os.ErrDeadlineExceeded)
		far.SetReadDeadline(time.Time{})

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = n.At(a).Dial(ctx, b)
		fails(t, err, os.ErrDeadlineExceeded)

		dialed := make(chan error)
		go func() { _, err := n.At(a).Dial(t.Context(), b); dialed <- err }()
		synctest.Wait()
		n.Heal(a, b)
		hears(t, far, "there")
		if err := <-dialed; err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * BrokenAfter) // the cut's timer is gone with it
		says(t, near, far, "still")
	})
}

func TestLongCutBreaks(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		near, far := pair(t, n)
		n.Cut(a, b)
		far.Close() // unheard
		_, err := near.Read(make([]byte, 1))
		fails(t, err, syscall.ETIMEDOUT)
		_, err = near.Write([]byte("x"))
		fails(t, err, syscall.ETIMEDOUT)
		_, err = n.At(a).Dial(t.Context(), b)
		fails(t, err, syscall.ETIMEDOUT)
	})
}

func TestKill(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		near, far := pair(t, n)
		dead := n.At(b)
		n.Kill(b)
		_, err := near.Read(make([]byte, 1))
		fails(t, err, io.EOF)
		_, err = far.Write([]byte("x"))
		fails(t, err, net.ErrClosed)
		_, err = n.At(a).Dial(t.Context(), b)
		fails(t, err, syscall.ECONNREFUSED)
		_, err = dead.Dial(t.Context(), a)
		fails(t, err, syscall.ENETDOWN)
		_, err = dead.Listen(b)
		fails(t, err, syscall.ENETDOWN)
		near, far = pair(t, n) // another one at the address
		says(t, near, far, "new")
	})
}

func TestListenerClose(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		ln, err := n.At(a).Listen(a)
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.At(a).Listen(a)
		fails(t, err, syscall.EADDRINUSE)
		accepted := make(chan error)
		go func() { _, err := ln.Accept(); accepted <- err }()
		synctest.Wait()
		ln.Close()
		fails(t, <-accepted, net.ErrClosed)
		_, err = n.At(b).Dial(t.Context(), a)
		fails(t, err, syscall.ECONNREFUSED)
		if _, err = n.At(a).Listen(a); err != nil {
			t.Fatal(err)
		}
	})
}
