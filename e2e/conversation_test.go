package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A conversation of a storm's guest: what it sends, how it writes it, how it ends, and what it hears until the server closes.

const (
	bytewiseMax   = 200 // bytes sent one by one
	bytewisePause = time.Millisecond
	piecesMax     = 12 // that a conversation is cut into
)

// streamConn is what TCP and Unix sockets have in common.
type streamConn interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
	SetReadBuffer(int) error
}

// enter connects by TCP or by the Unix socket.
func (st *storm) enter(s speaker) (streamConn, error) {
	network, addr := "tcp", st.s.addr()
	if s.IntN(2) == 0 {
		network, addr = "unix", st.socket
	}
	conn, err := net.Dial(network, addr)
	if err != nil {
		return nil, err
	}
	return conn.(streamConn), nil
}

// pace is how a guest writes.
type pace func(st *storm, s speaker, conn streamConn, b []byte)

// All of them ignore errors: a server that closes early is judged by what it says.
func atOnce(_ *storm, _ speaker, conn streamConn, b []byte) { conn.Write(b) }

func inPieces(_ *storm, s speaker, conn streamConn, b []byte) {
	for range s.IntN(piecesMax) {
		n := s.IntN(len(b) + 1)
		conn.Write(b[:n])
		b = b[n:]
	}
	conn.Write(b)
}

func byteByByte(st *storm, s speaker, conn streamConn, b []byte) {
	for i := range min(len(b), bytewiseMax) {
		conn.Write(b[i : i+1])
		st.pause(bytewisePause)
	}
	conn.Write(b[min(len(b), bytewiseMax):])
}

// urgently sends every second piece with the last byte marked urgent, where the network has such a thing.
func urgently(_ *storm, s speaker, conn streamConn, b []byte) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	for len(b) > 0 {
		n := 1 + s.IntN(len(b))
		raw.Write(func(fd uintptr) bool {
			sent, err := syscall.SendmsgN(int(fd), b[:n], nil, nil, syscall.MSG_OOB)
			if err == syscall.EAGAIN {
				return false
			}
			n = max(sent, 0)
			return true
		})
		b = b[n:]
		m, err := conn.Write(b[:s.IntN(len(b)+1)])
		if err != nil {
			return
		}
		b = b[m:]
	}
}

// ending is how a guest lets the server know that it has said everything.
type ending bool

const (
	byQuit        ending = false
	byEndOfStream ending = true
)

// converse sends b and reads until the server closes.
func (st *storm) converse(s speaker, b []byte, write pace, end ending) (heard, error) {
	conn, err := st.enter(s)
	if err != nil {
		return heard{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answerLimit))
	var writing sync.WaitGroup
	defer writing.Wait()
	writer := newSpeaker(s.Uint64(), 0)
	writing.Go(func() {
		write(st, writer, conn, b)
		if end == byEndOfStream {
			conn.CloseWrite()
		}
	})
	h, err := hear(conn, asksForRESP3(b))
	if err != nil {
		conn.Close()
		return h, fmt.Errorf("after %d answers: %w\n    to %s", len(h.replies), err, shown(b, 0))
	}
	return h, nil
}

// quit is the end of a conversation of which every answer is wanted.
var quit = appendCommand(nil, "QUIT")

// asksForRESP3: HELLO is in it, or could be, with an escaped letter.
func asksForRESP3(b []byte) bool {
	return hasAny(b, "hello", `\`)
}

// heard is what a server has said to one client.
type heard struct {
	replies []reply
	refused bool // the last one is a protocol error
	cut     bool // the stream ends inside a reply, or in another way than by its end
}

// hear reads until the server closes. It returns what is wrong with what it reads: a protocol error must be the last.
func hear(conn net.Conn, resp3 bool) (h heard, err error) {
	r := bufio.NewReader(conn)
	for {
		v, err := readStrict(r, resp3)
		switch {
		case err == io.EOF:
			return h, nil
		case isEnd(err):
			h.cut = true
			return h, nil
		case err != nil:
			return h, err
		case h.refused:
			return h, fmt.Errorf("more after a protocol error: %.200q", v.String())
		}
		h.replies = append(h.replies, v)
		h.refused = v.kind == '-' && strings.HasPrefix(v.text, protocolError)
	}
}
