package e2e

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A spread is one address for the clients of several servers: each connection goes to the next of them. So a program
// that knows of one Redis meets a cluster, and no two of its connections the same node.
type spread struct {
	listener net.Listener
	mu       sync.Mutex
	backends []string
	next     int
	clients  map[net.Conn]bool // open ones; nil: no more are served
}

// newSpread listens on a free port until the test ends.
func newSpread(t testing.TB, backends ...string) *spread {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &spread{listener: listener, backends: backends, clients: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.serve(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.mu.Lock()
		for client := range s.clients {
			client.Close()
		}
		s.clients = nil
		s.mu.Unlock()
		running.Wait()
	})
	return s
}

func (s *spread) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *spread) backend() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.backends[s.next%len(s.backends)]
}

func (s *spread) enter(client net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients == nil {
		return false
	}
	s.clients[client] = true
	return true
}

func (s *spread) leave(client net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, client)
}

// serve passes on what both sides say, and which of them has ended.
func (s *spread) serve(client *net.TCPConn) {
	defer client.Close()
	if !s.enter(client) {
		return
	}
	defer s.leave(client)
	conn, err := net.Dial("tcp", s.backend())
	if err != nil {
		client.SetLinger(0) // a reset, as if nobody had listened
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close()
	var passing sync.WaitGroup
	pass := func(to, from *net.TCPConn) {
		if _, err := io.Copy(to, from); err != nil {
			to.Close() // a reset, or whatever it was, is for both
			from.Close()
			return
		}
		to.CloseWrite()
	}
	passing.Go(func() { pass(server, client) })
	pass(client, server)
	passing.Wait()
}

// startCluster starts three nodes and returns them as one server, which gives each connection to another node.
func startCluster(t testing.TB, args ...string) *server {
	t.Helper()
	nodes := startNodes(t, 3, args...)
	var backends []string
	for _, n := range nodes {
		backends = append(backends, n.addr())
	}
	return &server{name: "cluster", port: newSpread(t, backends...).port(), nodes: nodes}
}
