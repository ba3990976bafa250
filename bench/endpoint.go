package bench

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// endpoint is where one node of a server listens.
type endpoint struct {
	name    string // as it was given
	address unix.Sockaddr
	family  int
}

// unixPrefix begins the address of a Unix socket; the path follows.
const unixPrefix = "unix:"

// parseAddresses splits "A,B,…" where each is host:port or unix:/path.
func parseAddresses(text string) ([]string, error) {
	addresses := strings.Split(text, ",")
	for _, address := range addresses {
		if path, ok := strings.CutPrefix(address, unixPrefix); ok {
			if path == "" || len(path) > maxSocketPath {
				return nil, fmt.Errorf("address %q: the path must have 1 to %d bytes", address, maxSocketPath)
			}
			continue
		}
		host, port, err := net.SplitHostPort(address)
		if err == nil && (host == "" || port == "") {
			err = errors.New("want host:port or unix:/path")
		}
		if err != nil {
			return nil, fmt.Errorf("address %q: %w", address, err)
		}
	}
	return addresses, nil
}

// resolve returns the endpoint of an address.
func resolve(address string) (endpoint, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		return endpoint{address, &unix.SockaddrUnix{Name: path}, unix.AF_UNIX}, nil
	}
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return endpoint{}, fmt.Errorf("cannot resolve %q: %w", address, err)
	}
	if ip4 := tcp.IP.To4(); ip4 != nil {
		return endpoint{address, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip4)}, unix.AF_INET}, nil
	}
	return endpoint{address, &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}, unix.AF_INET6}, nil
}

// dial connects a blocking socket whose reads and writes have a time limit.
func (e endpoint) dial() (fd int, err error) {
	fd, err = unix.Socket(e.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		if err == unix.EMFILE {
			err = fmt.Errorf("%w: raise the limit (ulimit -n) above the number of connections, or have fewer", err)
		}
		return -1, fmt.Errorf("cannot create a socket: %w", err)
	}
	limit := unix.NsecToTimeval(int64(setupTimeout))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err == nil {
			err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit)
		}
	}
	if err == nil && e.family != unix.AF_UNIX {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = connect(fd, e.address)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot connect to %s: %w: does the server listen there?", e.name, err)
	}
	return fd, nil
}

// connect is connect(2) where a signal, which the Go scheduler sends often, does not end the wait: the attempt goes on
// by itself and must not be made twice.
func connect(fd int, address unix.Sockaddr) error {
	err := unix.Connect(fd, address)
	if err != unix.EINTR {
		return err
	}
	for err == unix.EINTR {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(setupTimeout.Milliseconds()))
	}
	if err != nil {
		return err
	}
	result, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && result != 0 {
		err = unix.Errno(result)
	}
	return err
}
