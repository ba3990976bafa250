package cluster

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// lookupTimeMax bounds the wait for a name server.
const lookupTimeMax = 2 * time.Second

// resolve looks up the names among addresses, so that one with several hosts
// counts as several; what cannot be looked up stays as it is.
func resolve(addresses []string) []string {
	var all []string
	for _, a := range addresses {
		if a = strings.TrimSpace(a); a != "" {
			all = append(all, lookup(a)...)
		}
	}
	return all
}

// lookup returns the addresses of a host:port whose host may be a name with
// several of them, sorted, so that all processes have them in one order. What
// cannot be looked up is returned as it is: dialing it tells why.
func lookup(address string) []string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return []string{address}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{address}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTimeMax)
	defer cancel()
	hosts, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(hosts) == 0 {
		return []string{address}
	}
	slices.Sort(hosts)
	for i, h := range hosts {
		hosts[i] = net.JoinHostPort(h, port)
	}
	return slices.Compact(hosts)
}
