package gossip

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// rejoin looks for members that this node has lost. memberlist does not: a
// minute after two halves were cut off from each other each has forgotten the
// other for good.
func (g *Gossip) rejoin() {
	for {
		pause := rejoinInterval*3/4 + rand.N(rejoinInterval/2)
		select {
		case <-time.After(pause):
		case <-g.ctx.Done():
			return
		}
		targets := g.missing()
		if len(targets) == 0 {
			continue
		}
		if err := g.join(targets); err != nil && g.ctx.Err() == nil {
			g.log.Debug("cannot reach lost members of the cluster", "error", err)
		}
	}
}

// missing returns up to one contact and one member of the past that are not
// known to live.
func (g *Gossip) missing() (targets []netip.AddrPort) {
	said, reached, past := g.view.addresses()
	reached[g.transport.self] = true
	contacts := g.config.Contacts()
	for _, i := range rand.Perm(len(contacts)) {
		if said[contacts[i]] {
			continue // without asking the resolver
		}
		if found, ok := g.unreached(contacts[i], reached); ok {
			targets = append(targets, found)
			break
		}
	}
	if len(past) > 0 {
		targets = append(targets, past[rand.IntN(len(past))])
	}
	return targets
}

// unreached returns one address of a contact at which no living member is. A
// name may have many, as a headless service of Kubernetes has.
func (g *Gossip) unreached(contact string, reached map[netip.AddrPort]bool) (netip.AddrPort, bool) {
	addresses, err := resolve(g.ctx, contact)
	if err != nil {
		g.log.Debug("cannot resolve the address of a contact", "error", err)
		return netip.AddrPort{}, false
	}
	for _, i := range rand.Perm(len(addresses)) {
		if !reached[addresses[i]] {
			return addresses[i], true
		}
	}
	return netip.AddrPort{}, false
}

// resolve returns the addresses of a host:port. memberlist would ask the first
// name server for everything it has, by TCP.
func resolve(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot understand the address %q: %w", address, err)
	}
	number, err := strconv.ParseUint(service, 10, 16)
	if err != nil || number == 0 {
		return nil, fmt.Errorf("cannot understand the port of the address %q", address)
	}
	ips := []netip.Addr{}
	if ip, err := netip.ParseAddr(host); err == nil {
		ips = append(ips, ip)
	} else {
		ctx, cancel := context.WithTimeout(ctx, resolveTimeMax)
		defer cancel()
		if ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, fmt.Errorf("cannot resolve the address %q: %w", address, err)
		}
	}
	addresses := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		// memberlist's addresses have no zone
		addresses[i] = netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(number))
	}
	return addresses, nil
}
