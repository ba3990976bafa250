package port

import (
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/placement"
)

// Reason says why a connection was not made.
type Reason string

const (
	WrongCluster Reason = "wrong cluster" // the two are not in one
	WrongName    Reason = "wrong name"    // another process is there
	WrongSecret  Reason = "wrong secret"  // or one side has none
	WrongVersion Reason = "wrong version" // the two have none in common
	WrongKind    Reason = "wrong kind"    // nobody handles it, or not now

	// What only the acceptor knows, who then says nothing.
	Malformed Reason = "malformed" // no node speaks so
	TooSlow   Reason = "too slow"
	TooMany   Reason = "too many" // greeted at the same time
	Aborted   Reason = "aborted"  // by the dialer
)

var reasons = []Reason{WrongCluster, WrongName, WrongSecret, WrongVersion, WrongKind, Malformed, TooSlow, TooMany, Aborted}

// Refused is the error of a connection that was refused by either side's rules.
// Peer is what the other side has said of itself, which is next to nothing if
// secrets or versions do not fit. With a secret, every other reason comes from
// somebody who knows it; but who sits in between may have led the dialer to a node
// that it did not mean.
type Refused struct {
	Reason Reason
	Peer   Greeting

	detail string
}

func (r *Refused) Error() string {
	if r.detail != "" {
		return fmt.Sprintf("refused: %s: %s", r.Reason, r.detail)
	}
	return fmt.Sprintf("refused: %s", r.Reason)
}

// judge returns why an acceptor refuses a dialer, nil if it does not. The name
// comes first: that another process is there is true in whichever cluster that
// may be.
func judge(own, peer Greeting, k Kind, to placement.Name, handled bool) *Refused {
	no := func(reason Reason, format string, args ...any) *Refused {
		return &Refused{Reason: reason, Peer: peer, detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case to != "" && to != own.Name:
		return no(WrongName, "%s is wanted, %s is here", short(string(to)), own.Name)
	case k == Hello:
		return nil
	case own.Cluster == "" || own.Cluster != peer.Cluster:
		return no(WrongCluster, "its cluster is %q, this node's %q", short(peer.Cluster), own.Cluster)
	case !handled:
		return no(WrongKind, "nobody takes kind %s", k)
	}
	return nil
}

// understand explains to a dialer what the acceptor has answered.
func understand(reason Reason, own, peer Greeting, k Kind, to placement.Name) *Refused {
	r := &Refused{Reason: reason, Peer: peer}
	switch reason {
	case WrongName:
		r.detail = fmt.Sprintf("%s is wanted, %s is there", to, short(string(peer.Name)))
	case WrongCluster:
		r.detail = fmt.Sprintf("its cluster is %q, this node's %q", short(peer.Cluster), own.Cluster)
	case WrongKind:
		r.detail = fmt.Sprintf("nobody there takes kind %s", k)
	}
	return r
}

// compare returns why two openings do not fit, nil if they do. Both sides find
// the same.
func compare(own, peer opening) *Refused {
	no := func(reason Reason, detail string) *Refused {
		return &Refused{Reason: reason, Peer: Greeting{Min: peer.Min, Max: peer.Max}, detail: detail}
	}
	switch {
	case speaks(own.Min, own.Max, peer.Min, peer.Max) == 0:
		return no(WrongVersion, fmt.Sprintf("it speaks protocol versions %d to %d, this node %d to %d",
			peer.Min, peer.Max, own.Min, own.Max))
	case own.Secret && !peer.Secret:
		return no(WrongSecret, "this node has a cluster secret, the other one has none")
	case peer.Secret && !own.Secret:
		return no(WrongSecret, "the other node has a cluster secret, this one has none")
	}
	return nil
}

func short(s string) string { return s[:min(len(s), loggedBytesMax)] }

// refusals counts them and logs some.
type refusals struct {
	log    *slog.Logger
	counts map[Reason]*atomic.Int64

	mu     sync.Mutex
	last   time.Time // of the last line
	others int64     // since then
}

func newRefusals(log *slog.Logger) *refusals {
	r := &refusals{log: log, counts: make(map[Reason]*atomic.Int64, len(reasons))}
	for _, reason := range reasons {
		r.counts[reason] = new(atomic.Int64)
	}
	return r
}

// refuse counts a refusal. Who connects and goes again is a port scanner or a
// load balancer that looks whether the port is open: nothing to warn of.
func (r *refusals) refuse(remote net.Addr, k Kind, refused *Refused) {
	r.counts[refused.Reason].Add(1)
	if refused.Reason == Aborted {
		return
	}
	r.warn("cluster port refuses a connection", "from", remote.String(), "kind", k.String(),
		"name", short(string(refused.Peer.Name)), "why", refused.Error())
}

// warn logs one line a second, and how many are missing before it.
func (r *refusals) warn(message string, args ...any) {
	r.mu.Lock()
	now := time.Now()
	if now.Sub(r.last) < warnInterval {
		r.others++
		r.mu.Unlock()
		return
	}
	others := r.others
	r.last, r.others = now, 0
	r.mu.Unlock()
	r.log.Warn(message, append(args, "others before", others)...)
}
