package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Config is what makes a process a node.
type Config struct {
	Listen    string   // host:port of the cluster port
	Join      []string // host:port of seeds, in the order that all nodes have
	Advertise string   // host:port for the other nodes; empty: follows from Listen
	Clients   []string // host:port for clients, as the others tell them
	ID        string   // empty: the address for the other nodes
	Zone      string
	Weight    int // how much this node can do, relative to the others; at least 1
	Secret    string
	DataDir   string // empty: everything is in memory
	Strict    bool   // cut off, rather stop than go on apart: --partition strict

	Settings placement.Settings

	Load  func() placement.Report // how busy this process is
	Lanes *Lanes                  // of the process's loops

	// Names returns what clients of this process are subscribed to: what the
	// pattern matches, or all if it is nil.
	Names func(kind lane.Kind, pattern []byte) []string
	Log   *slog.Logger

	Network port.Network // nil: TCP
}

// advertise completes the address for the other nodes, which is what they dial
// and, unless the operator says otherwise, the node's id: it must be the same
// after a restart. listening is the address of the port that is open.
func (c *Config) advertise(listening string) (string, error) {
	if c.Advertise != "" {
		if _, port, err := net.SplitHostPort(c.Advertise); err != nil || port == "" || port == "0" {
			return "", fmt.Errorf("--advertise must be host:port, not %q", c.Advertise)
		}
		return c.Advertise, nil
	}
	host, port, err := net.SplitHostPort(listening)
	if err != nil {
		return "", fmt.Errorf("cannot tell the other nodes where this one is: %w; set --advertise host:port", err)
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		if host, err = ownAddress(); err != nil {
			return "", err
		}
	}
	return net.JoinHostPort(host, port), nil
}

// completeClients gives an address for clients that stands for all of the
// machine the host by which the other nodes know it.
func (c *Config) completeClients(advertised string) {
	own, _, err := net.SplitHostPort(advertised)
	if err != nil {
		return
	}
	for i, address := range c.Clients {
		host, port, err := net.SplitHostPort(address)
		if ip, parseErr := netip.ParseAddr(host); err == nil && parseErr == nil && ip.IsUnspecified() {
			c.Clients[i] = net.JoinHostPort(own, port)
		}
	}
}

// ownAddress returns an address of this machine that others may reach.
func ownAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("cannot list this machine's addresses: %w; set --advertise host:port", err)
	}
	for _, a := range addresses {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.IsGlobalUnicast() {
			return ip.IP.String(), nil
		}
	}
	return "127.0.0.1", nil
}

// check refuses what could not work: clients that are sent to an address of
// their own machine.
func (c *Config) check(advertised string) error {
	if len(c.Clients) == 0 {
		return errors.New("a node of a cluster needs a TCP port for clients: set --port")
	}
	if isLoopback(advertised) {
		return nil
	}
	for _, address := range c.Clients {
		if isLoopback(address) {
			return fmt.Errorf("the other nodes reach this one at %s, but it would send clients to %s, which is their own machine: "+
				"set --bind to an address that clients reach, or --advertise-client host:port", advertised, address)
		}
	}
	return nil
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
