package engine

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAddress(t *testing.T) {
	f := func(end unix.Sockaddr, want string, tcp, loopback bool) {
		t.Helper()
		a := addressOf(end)
		if got := a.String(); tcp && got != want {
			t.Errorf("%v is named %q, want %q", end, got, want)
		}
		if a.isTCP() != tcp || a.addr().IsLoopback() != loopback {
			t.Errorf("%v: TCP %t, loopback %t, want %t, %t", end, a.isTCP(), a.addr().IsLoopback(), tcp, loopback)
		}
	}
	mapped := [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}
	linkLocal := [16]byte{0: 0xfe, 1: 0x80, 15: 7}
	f(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 6379}, "127.0.0.1:6379", true, true)
	f(&unix.SockaddrInet4{Addr: [4]byte{192, 0, 2, 7}, Port: 65535}, "192.0.2.7:65535", true, false)
	f(&unix.SockaddrInet6{Addr: mapped, Port: 1}, "127.0.0.1:1", true, true)
	f(&unix.SockaddrInet6{Addr: [16]byte{15: 1}, Port: 2}, "[::1]:2", true, true)
	f(&unix.SockaddrInet6{Addr: linkLocal, Port: 3, ZoneId: 9}, "[fe80::7]:3", true, false)
	f(&unix.SockaddrUnix{Name: "/tmp/hubsub.sock"}, "", false, false)
	f(nil, "", false, false)
}
