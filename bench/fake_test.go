package bench

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// fakeServer is a pub/sub server with faults. It serves one room shape and does everything under one lock.
type fakeServer struct {
	listener net.Listener

	mu          sync.Mutex
	subscribers []*fakeSubscriber
	published   int

	// deliver returns what the first subscriber gets instead of the n-th frame, from 1; nil is no fault.
	deliver func(n int, frame []byte) [][]byte
	// beforePong returns what the first subscriber gets before a PONG.
	beforePong func() []byte
	// afterPong returns what the first subscriber gets a moment after a PONG.
	afterPong func() []byte
	// answer returns what PUBLISH is answered.
	answer func(n, subscribers int) int
	// deliverGuest is the same for wanderers, the subscribers behind the first stable ones.
	deliverGuest func(frame []byte) [][]byte
	stable       int
	// onLeave returns what a wanderer gets before and after the confirmation that it left.
	onLeave func(confirmation []byte) []byte
	// onJoin is the same for joining.
	onJoin func(confirmation []byte) []byte
	// stall is called before the n-th publish is executed.
	stall func(n int)
}

type fakeSubscriber struct {
	conn    net.Conn
	channel string
}

// members returns the subscribers of a channel.
func (f *fakeServer) members(channel string) (members []*fakeSubscriber) {
	for _, s := range f.subscribers {
		if s.channel == channel {
			members = append(members, s)
		}
	}
	return members
}

func (f *fakeServer) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener = l
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(conn)
		}
	}()
}

func (f *fakeServer) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		command, err := readReply(in)
		if err != nil {
			return
		}
		f.mu.Lock()
		if command.items == nil { // inline
			command.items = []reply{{text: string(command.kind) + command.text}}
		}
		f.execute(conn, command.items)
		f.mu.Unlock()
	}
}

func (f *fakeServer) execute(conn net.Conn, args []reply) {
	switch args[0].text {
	case "SUBSCRIBE":
		f.subscribers = append(f.subscribers, &fakeSubscriber{conn, args[1].text})
		confirmation := resp2.confirmation("subscribe", args[1].text, 1)
		if f.onJoin != nil && f.stable > 0 && len(f.subscribers) > f.stable {
			confirmation = f.onJoin(confirmation)
		}
		conn.Write(confirmation)
	case "UNSUBSCRIBE":
		f.subscribers = slices.DeleteFunc(f.subscribers, func(s *fakeSubscriber) bool { return s.conn == conn })
		confirmation := resp2.confirmation("unsubscribe", args[1].text, 0)
		if f.onLeave != nil {
			confirmation = f.onLeave(confirmation)
		}
		conn.Write(confirmation)
	case "PING":
		if len(f.subscribers) == 0 {
			conn.Write(pongPlain)
			return
		}
		if f.beforePong != nil && conn == f.subscribers[0].conn {
			conn.Write(f.beforePong())
		}
		conn.Write(pongPush)
		if f.afterPong != nil && conn == f.subscribers[0].conn {
			late := f.afterPong()
			time.AfterFunc(afterwards/10, func() { conn.Write(late) })
		}
	case "PUBLISH":
		f.published++
		if f.stall != nil {
			f.stall(f.published)
		}
		frame := fmt.Appendf(nil, "*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n",
			len(args[1].text), args[1].text, len(args[2].text), args[2].text)
		members := f.members(args[1].text)
		for i, s := range members {
			frames := [][]byte{frame}
			if i == 0 && f.deliver != nil {
				frames = f.deliver(f.published, frame)
			}
			if f.deliverGuest != nil && i >= f.stable {
				frames = f.deliverGuest(frame)
			}
			for _, frame := range frames {
				s.conn.Write(frame)
			}
		}
		answer := len(members)
		if f.answer != nil {
			answer = f.answer(f.published, answer)
		}
		fmt.Fprintf(conn, ":%d\r\n", answer)
	default:
		fmt.Fprint(conn, "-ERR unknown command\r\n")
	}
}
