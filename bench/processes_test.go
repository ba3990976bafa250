package bench

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// The process that listens at an address is found, whatever kind of address it is.
func TestListeners(t *testing.T) {
	self := processes{os.Getpid()}
	f := func(network, address string, as func(l net.Listener) []string) {
		t.Helper()
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addresses := as(l)
		if got, err := listeners(addresses); err != nil || !reflect.DeepEqual(got, self) {
			t.Errorf("%s: found %v, %v", addresses, got, err)
		}
		client, err := net.Dial(l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		served, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer served.Close()
		l.Close()
		if got, err := listeners(addresses); err == nil {
			t.Errorf("%s: found %v when nobody listened", addresses, got)
		}
	}
	port := func(l net.Listener) string {
		_, port, _ := net.SplitHostPort(l.Addr().String())
		return port
	}
	f("tcp4", "127.0.0.1:0", func(l net.Listener) []string { return []string{l.Addr().String()} })
	f("tcp4", "127.0.0.1:0", func(l net.Listener) []string { return []string{"localhost:" + port(l), l.Addr().String()} })
	f("tcp", ":0", func(l net.Listener) []string { return []string{"127.0.0.1:" + port(l)} })
	f("tcp", "0.0.0.0:0", func(l net.Listener) []string { return []string{"127.0.0.1:" + port(l)} })
	path := filepath.Join(t.TempDir(), "s")
	f("unix", path, func(net.Listener) []string { return []string{"unix:" + path} })
}

func TestProcAddress(t *testing.T) {
	f := func(text, wantIP string, wantPort int) {
		t.Helper()
		ip, port, ok := procAddress(text)
		if ok != (wantIP != "") || ok && (!ip.Equal(net.ParseIP(wantIP)) || port != wantPort) {
			t.Errorf("%s: got %v port %d, %v", text, ip, port, ok)
		}
	}
	f("0100007F:18EB", "127.0.0.1", 6379)
	f("00000000000000000000000001000000:0050", "::1", 80)
	f("", "", 0)
	f("0100007F", "", 0)
	f("01007F:1", "", 0)
	f("0100007G:1", "", 0)
}

// CPU time and memory are sums.
func TestProcessesSum(t *testing.T) {
	one, two := processes{os.Getpid()}, processes{os.Getpid(), os.Getpid()}
	m1, err1 := one.memory()
	m2, err2 := two.memory()
	if err1 != nil || err2 != nil || m2.resident < m1.resident*3/2 {
		t.Errorf("memory %v of one, %v of two; %v %v", m1, m2, err1, err2)
	}
	c1, err1 := one.cpuTime()
	c2, err2 := two.cpuTime()
	if err1 != nil || err2 != nil || c2 < 2*c1 {
		t.Errorf("CPU time %v of one, %v of two; %v %v", c1, c2, err1, err2)
	}
	if none, err := (processes{}).cpuTime(); err != nil || none != 0 {
		t.Errorf("none used %v, %v", none, err)
	}
}
