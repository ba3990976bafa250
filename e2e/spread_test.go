package e2e

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// A spread is one address for the clients of several servers: each connection goes to the next of them. So a program
// that knows of one Redis meets a cluster, and no two of its connections the same node.
type spread struct {
	address  string // nobody else's
	running  sync.WaitGroup
	mu       sync.Mutex
	listener net.Listener
	backends []string
	next     int
	clients  map[net.Conn]bool // open ones; nil: no more are served
}

// newSpread listens on a free port until the test ends.
func newSpread(t testing.TB, backends ...string) *spread {
	t.Helper()
	s := &spread{address: fmt.Sprint("127.0.0.1:", freePort(t)), backends: backends}
	s.open(t)
	t.Cleanup(func() {
		s.close()
		s.running.Wait()
	})
	return s
}

// open listens, for the first time or again.
func (s *spread) open(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", s.address)
	must(t, err)
	s.mu.Lock()
	s.listener, s.clients = listener, map[net.Conn]bool{}
	s.mu.Unlock()
	s.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() { s.serve(conn.(*net.TCPConn)) })
		}
	})
}

// close refuses connections, as servers that are not there do, and ends those that there are.
func (s *spread) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener.Close()
	for client := range s.clients {
		client.Close()
	}
	s.clients = nil
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
	spread := newSpread(t, backends...)
	return &server{name: "cluster", port: spread.port(), nodes: nodes, spread: spread}
}

// starter starts a server with some options more.
type starter func(testing.TB, ...string) *server

// onEach runs a test with Redis, which shows that what it wants is a fact, with HubSub, and with a cluster.
func onEach(t *testing.T, test func(*testing.T, starter)) {
	f := func(name string, start starter) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
	f("redis", startRedis)
	f("hubsub", startHubSub)
	f("cluster", startCluster)
}
