package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addressA, addressB, addressC = "10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"

// node is Links and their port, with what they have heard.
type node struct {
	*Links
	port    *port.Port
	name    placement.Name
	address string // where others dial
	log     log

	mu    sync.Mutex
	block chan struct{} // if there is one, Receive waits for its end
	full  func() bool   // nil: it has never enough
	from  map[placement.Name]*heard
}

// heard is what has come of one peer. Its records are numbers that grow.
type heard struct {
	numbers []uint64 // all of them
	broken  []int    // how many had come at each loss
	wrong   string   // what was not in order
	bytes   int
	since   int // the first record of this session
}

// log is what a node has logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start starts the process of a node's boot; its id is its address.
func start(t testing.TB, network port.Network, address, boot string) *node {
	t.Helper()
	return startWith(t, network, address, placement.Name(address+"/"+boot), func(*Config) {})
}

func startWith(t testing.TB, network port.Network, address string, name placement.Name, change func(*Config)) *node {
	t.Helper()
	n := &node{name: name, from: make(map[placement.Name]*heard)}
	logger := slog.New(slog.NewTextHandler(&n.log, nil))
	p, err := port.Listen(port.Config{
		Address: address, Network: network, Secret: "s3cret", Log: logger,
		Greeting: func() port.Greeting {
			return port.Greeting{Cluster: "c", Name: name, ID: address, Address: n.address}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.port, n.address = p, p.Address()
	config := Config{Port: p, Name: name, Log: logger, Receive: n.receive, Broken: n.lost}
	if network == nil && strings.HasSuffix(string(name), "/1") {
		config.Watch = watch // of two nodes with sockets one is read by a loop
	}
	change(&config)
	n.Links = New(config)
	t.Cleanup(n.end)
	return n
}

func (n *node) end() {
	n.port.Close()
	n.Links.Close()
}

func (n *node) peerHeard(name placement.Name) *heard {
	h := n.from[name]
	if h == nil {
		h = &heard{}
		n.from[name] = h
	}
	return h
}

func (n *node) receive(from placement.Name, records []byte) func() bool {
	n.mu.Lock()
	block := n.block
	n.mu.Unlock()
	if block != nil {
		<-block
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.peerHeard(from)
	for len(records) > 0 {
		length, at := binary.Uvarint(records)
		record := records[at : at+int(length)]
		records = records[at+int(length):]
		if len(record) < 8 {
			h.wrong = "a record without a number"
			continue
		}
		number := binary.BigEndian.Uint64(record)
		if last := len(h.numbers); last > h.since && number != h.numbers[last-1]+1 && h.wrong == "" {
			h.wrong = fmt.Sprintf("%d after %d", number, h.numbers[last-1])
		} else if last > 0 && number <= h.numbers[last-1] && h.wrong == "" {
			h.wrong = fmt.Sprintf("%d again, after %d", number, h.numbers[last-1])
		}
		h.numbers = append(h.numbers, number)
		h.bytes += len(record)
	}
	if n.full != nil && n.full() {
		return n.full
	}
	return nil
}

func (n *node) lost(peer placement.Name) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.peerHeard(peer)
	h.broken = append(h.broken, len(h.numbers))
	h.since = len(h.numbers)
}

func (n *node) blocks(c chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.block = c
}

// count returns how many records have come of a peer, and how often it was lost.
func (n *node) count(of *node) (records, broken int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.peerHeard(of.name)
	return len(h.numbers), len(h.broken)
}

// inOrder finds that so many records have come of a peer, with so many losses
// between, and all in order.
func (n *node) inOrder(t testing.TB, of *node, records, broken int) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.peerHeard(of.name)
	if h.wrong != "" {
		t.Fatalf("%s of %s heard %s", n.name, of.name, h.wrong)
	}
	if len(h.numbers) != records || len(h.broken) != broken {
		t.Fatalf("%s of %s heard %d records and %d losses, want %d and %d", n.name, of.name, len(h.numbers), len(h.broken), records, broken)
	}
}

// say sends the record of a number.
func (n *node) say(to *node, number int) bool {
	return n.Send(to.name, to.address, record(nil, uint64(number), 100), 1)
}

func (n *node) must(t testing.TB, to *node, number int) {
	t.Helper()
	if !n.say(to, number) {
		t.Fatalf("%s takes nothing for %s: %+v", n.name, to.name, n.Stats())
	}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T, network *porttest.Network)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) { f(t, porttest.New()) })
}

// pair returns two nodes in a network.
func pair(t *testing.T, network *porttest.Network) (a, b *node) {
	return start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
}

// eventually waits for what real sockets bring.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it did not come true")
}

// arrives waits until so many records of a node have come over real sockets. A
// machine that stands still for two seconds loses sessions, which proves nothing.
func (n *node) arrives(t testing.TB, of *node, records int) {
	t.Helper()
	lost := func() bool { return n.Stats().Broken+of.Stats().Broken > 0 }
	eventually(t, func() bool { got, _ := n.count(of); return got >= records || lost() })
	if lost() {
		t.Skip("this machine stands still for too long")
	}
	n.inOrder(t, of, records, 0)
}
