package engine

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// address is one end of a TCP connection; zero for a Unix socket's. It has no
// pointer and half the size of net's: each session holds one.
type address struct {
	ip   [16]byte // IPv4 mapped into IPv6
	port uint16
}

func addressOf(end unix.Sockaddr) address {
	switch end := end.(type) {
	case *unix.SockaddrInet4:
		return address{netip.AddrFrom4(end.Addr).As16(), uint16(end.Port)}
	case *unix.SockaddrInet6:
		return address{end.Addr, uint16(end.Port)}
	default:
		return address{}
	}
}

func (a address) isTCP() bool { return a != address{} }

func (a address) addr() netip.Addr { return netip.AddrFrom16(a.ip).Unmap() }

// String returns ip:port, without the zone of a link-local address, as Redis
// does.
func (a address) String() string { return netip.AddrPortFrom(a.addr(), a.port).String() }
