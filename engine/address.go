package engine

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// address is one end of a TCP connection; zero for a Unix socket's. It has no
// pointer and half the size of net's: each session holds one.
type address struct {
	ip   [16]byte // IPv4 mapped into IPv6
	port uint16
}

// remoteAddress returns the other end of a connection.
func remoteAddress(conn net.Conn) address {
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		return address{[16]byte(tcp.IP.To16()), uint16(tcp.Port)}
	}
	return address{}
}

// localAddress returns this end of a connection.
func localAddress(fd int) address {
	switch local, _ := unix.Getsockname(fd); local := local.(type) {
	case *unix.SockaddrInet4:
		return address{netip.AddrFrom4(local.Addr).As16(), uint16(local.Port)}
	case *unix.SockaddrInet6:
		return address{local.Addr, uint16(local.Port)}
	default:
		return address{}
	}
}

// String returns ip:port, without the zone of a link-local address, as Redis
// does.
func (a address) String() string {
	return netip.AddrPortFrom(netip.AddrFrom16(a.ip).Unmap(), a.port).String()
}
