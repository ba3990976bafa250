package gossip

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/sonic"
	"github.com/hashicorp/memberlist"

	"hubsub/cluster/placement"
)

// view is what memberlist has told of the members that live, and what they have
// told of their load. memberlist calls most of its methods with its own lock
// held: they call nothing of memberlist, and wait for nothing but mu, under which
// nothing waits either. The callbacks run in deliver.
type view struct {
	// Set once.
	self     placement.Name
	meta     []byte
	counters *counters
	news     chan struct{} // has an element if there may be something to deliver

	mu      sync.Mutex
	members map[placement.Name]*member   // that live, this node too
	past    map[netip.AddrPort]time.Time // addresses of those that died, and when
	lost    []placement.Name             // to deliver
	fresh   map[placement.Name]struct{}  // members whose reports are to be delivered
}

type member struct {
	placement.Member
	node     memberlist.Node
	reported bool
	report   placement.Report
}

func newView(self placement.Name, meta []byte, c *counters) *view {
	return &view{
		self: self, meta: meta, counters: c,
		news:    make(chan struct{}, 1),
		members: make(map[placement.Name]*member),
		past:    make(map[netip.AddrPort]time.Time),
		fresh:   make(map[placement.Name]struct{}),
	}
}

// NotifyAlive refuses members that this program does not understand.
func (v *view) NotifyAlive(n *memberlist.Node) error {
	if _, err := decodeMeta(n.Name, n.Meta); err != nil {
		v.counters.membersRefused.Add(1)
		return err
	}
	return nil
}

// NotifyJoin takes in a member that lives, or lives again.
func (v *view) NotifyJoin(n *memberlist.Node) {
	m, err := decodeMeta(n.Name, n.Meta)
	if err != nil {
		return // NotifyAlive has refused it
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.members[m.Name] = &member{Member: m, node: *n}
	delete(v.past, addressOf(n))
}

// NotifyUpdate takes in that a member says something else of itself.
func (v *view) NotifyUpdate(n *memberlist.Node) {
	m, err := decodeMeta(n.Name, n.Meta)
	if err != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if old := v.members[m.Name]; old != nil {
		old.Member, old.node = m, *n
	}
}

// NotifyLeave takes a member out that is dead, or has left: memberlist does not
// say which.
func (v *view) NotifyLeave(n *memberlist.Node) {
	name := placement.Name(n.Name)
	if name == v.self {
		return // it leaves
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.members[name] == nil {
		return
	}
	delete(v.members, name)
	delete(v.fresh, name)
	v.remember(addressOf(n))
	v.lost = append(v.lost, name)
	v.wake()
}

// remember keeps the address of a member that died. The caller holds mu.
func (v *view) remember(a netip.AddrPort) {
	now := time.Now()
	var oldest netip.AddrPort
	for b, at := range v.past {
		if now.Sub(at) > pastFor {
			delete(v.past, b)
		} else if !oldest.IsValid() || at.Before(v.past[oldest]) {
			oldest = b
		}
	}
	if len(v.past) >= pastMax {
		delete(v.past, oldest)
	}
	v.past[a] = now
}

// NodeMeta returns what this node says of itself.
func (v *view) NodeMeta(int) []byte { return v.meta }

// read takes in a report. Whoever calls it has it delivered.
func (v *view) read(b []byte) {
	var r placement.Report
	if err := sonic.Unmarshal(b, &r); err != nil {
		v.counters.reportsBad.Add(1)
		return
	}
	v.hear(r)
}

// NotifyMsg takes nothing in: reports are no messages of memberlist's.
func (v *view) NotifyMsg([]byte) { v.counters.reportsBad.Add(1) }

// GetBroadcasts has nothing: reports go to a few nodes each, for memberlist
// spreads messages of its user's by sending them to everybody eight times.
func (v *view) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState returns the newest report of each member.
func (v *view) LocalState(bool) []byte {
	v.mu.Lock()
	reports := make([]placement.Report, 0, len(v.members))
	for _, m := range v.members {
		if m.reported {
			reports = append(reports, m.report)
		}
	}
	v.mu.Unlock()
	b, err := sonic.Marshal(reports)
	if err != nil {
		v.counters.reportsBad.Add(1)
		return nil
	}
	return b
}

// MergeRemoteState takes in another node's table.
func (v *view) MergeRemoteState(b []byte, _ bool) {
	var reports []placement.Report
	if err := sonic.Unmarshal(b, &reports); err != nil {
		v.counters.reportsBad.Add(1)
		return
	}
	for _, r := range reports {
		v.hear(r)
	}
	v.wake()
}

// hear takes in a report if it is news of a living member.
func (v *view) hear(r placement.Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	m := v.members[r.Node]
	switch {
	case m == nil:
		v.counters.reportsUnknown.Add(1)
	case m.reported && r.Seq <= m.report.Seq:
		v.counters.reportsOld.Add(1)
	default:
		r.Node = m.Name // the decoded one keeps all of the message in memory
		m.report, m.reported = r, true
		v.fresh[m.Name] = struct{}{}
	}
}

func (v *view) wake() {
	select {
	case v.news <- struct{}{}:
	default:
	}
}

// take returns what is to be delivered. Of reports that came faster than they
// were delivered only the newest are left.
func (v *view) take() (lost []placement.Name, reports []placement.Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	lost, v.lost = v.lost, nil
	for name := range v.fresh {
		reports = append(reports, v.members[name].report)
	}
	clear(v.fresh)
	return lost, reports
}

// alive reports whether a process is a living member.
func (v *view) alive(name placement.Name) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.members[name] != nil
}

// list returns the living members, in the order of their names.
func (v *view) list() []placement.Member {
	v.mu.Lock()
	defer v.mu.Unlock()
	members := make([]placement.Member, 0, len(v.members))
	for _, m := range v.members {
		members = append(members, m.Member)
	}
	slices.SortFunc(members, func(a, b placement.Member) int { return strings.Compare(string(a.Name), string(b.Name)) })
	return members
}

// nodes returns the living members but this one.
func (v *view) nodes() []memberlist.Node {
	v.mu.Lock()
	defer v.mu.Unlock()
	nodes := make([]memberlist.Node, 0, len(v.members))
	for name, m := range v.members {
		if name != v.self {
			nodes = append(nodes, m.node)
		}
	}
	return nodes
}

// addresses returns where living members are, as they say and as they are
// reached, and where some were that died.
func (v *view) addresses() (said map[string]bool, reached map[netip.AddrPort]bool, past []netip.AddrPort) {
	v.mu.Lock()
	defer v.mu.Unlock()
	said, reached = make(map[string]bool), make(map[netip.AddrPort]bool)
	for _, m := range v.members {
		said[m.Cluster] = true
		reached[addressOf(&m.node)] = true
	}
	for a, at := range v.past {
		if !reached[a] && time.Since(at) <= pastFor {
			past = append(past, a)
		}
	}
	return said, reached, past
}

// addressOf returns the address by which members reach a node.
func addressOf(n *memberlist.Node) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(n.Addr)
	return netip.AddrPortFrom(ip.Unmap(), n.Port)
}
