package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// processes are those of a server; CPU time and memory are summed over them.
type processes []int

func (p processes) cpuTime() (sum time.Duration, err error) {
	for _, pid := range p {
		t, err := cpuTime(pid)
		if err != nil {
			return 0, err
		}
		sum += t
	}
	return sum, nil
}

func (p processes) statTimes() (user, system time.Duration, err error) {
	for _, pid := range p {
		u, s, err := statTimes(pid)
		if err != nil {
			return 0, 0, err
		}
		user += u
		system += s
	}
	return user, system, nil
}

func (p processes) memory() (sum memory, err error) {
	for _, pid := range p {
		m, err := memoryOf(pid)
		if err != nil {
			return sum, err
		}
		sum.resident += m.resident
		sum.proportional += m.proportional
	}
	return sum, nil
}

// String names the processes by their commands and pids.
func (p processes) String() string {
	words := make([]string, len(p))
	for i, pid := range p {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil {
			name = []byte("gone")
		}
		words[i] = fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(name)), pid)
	}
	return strings.Join(words, ", ")
}

// listeners finds the processes of this machine that listen at the addresses, in the order of their pids. It is all or
// nothing: a sum over some of a server's nodes would mislead.
func listeners(addresses []string) (processes, error) {
	var found processes
	for _, address := range addresses {
		inodes, err := listeningSockets(address)
		if err != nil {
			return nil, err
		}
		pids := holders(inodes)
		if len(pids) == 0 {
			return nil, fmt.Errorf("cannot find the process that listens at %s", address)
		}
		found = append(found, pids...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// ownListeners finds those that this process, or one that it started, has started.
func ownListeners(addresses []string) processes {
	found, err := listeners(addresses)
	if err != nil {
		return nil // nothing listens
	}
	return slices.DeleteFunc(found, func(pid int) bool { return !descends(pid, os.Getpid()) })
}

// descends reports whether a process is a child of another, or a child's child, and so on.
func descends(pid, from int) bool {
	for pid > 1 {
		fields, err := statFields(pid)
		if err != nil {
			return false
		}
		if pid, err = strconv.Atoi(fields[statParent]); err != nil {
			return false
		}
		if pid == from {
			return true
		}
	}
	return false
}

// listeningSockets returns the inodes of the sockets that listen at an address of this machine.
func listeningSockets(address string) (map[string]bool, error) {
	inodes := make(map[string]bool)
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("cannot find %s: %w", address, err)
		}
		return inodes, eachRow("/proc/net/unix", func(fields []string) {
			// Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON.
			if len(fields) == 8 && fields[7] == path && fields[3] == "00010000" {
				inodes[fields[6]] = true
			}
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", address, err)
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", address, err)
	}
	ips, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("cannot find %s: %w", address, err)
	}
	ips = slices.DeleteFunc(ips, func(ip net.IP) bool { return !isOwn(ip) })
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		err := eachRow(table, func(fields []string) {
			// sl local_address rem_address st … inode is the tenth; 0A is LISTEN.
			if len(fields) < 10 || fields[3] != "0A" {
				return
			}
			ip, port, ok := procAddress(fields[1])
			if ok && port == number && slices.ContainsFunc(ips, func(own net.IP) bool { return ip.IsUnspecified() || ip.Equal(own) }) {
				inodes[fields[9]] = true
			}
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // no IPv6
			return nil, err
		}
	}
	return inodes, nil
}

// isOwn reports whether an address is one of this machine.
func isOwn(ip net.IP) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(ip)
	})
}

// procAddress reads "0100007F:18EB": the address as words of the machine's byte order in hex, and the port.
func procAddress(text string) (ip net.IP, port int, ok bool) {
	host, portText, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(portText, 16, 16)
	if err != nil || len(host) != 2*net.IPv4len && len(host) != 2*net.IPv6len {
		return nil, 0, false
	}
	for ; host != ""; host = host[8:] {
		word, err := strconv.ParseUint(host[:8], 16, 32)
		if err != nil {
			return nil, 0, false
		}
		ip = binary.NativeEndian.AppendUint32(ip, uint32(word))
	}
	return ip, int(n), true
}

// eachRow calls f with the fields of each line but the first of a table in /proc.
func eachRow(path string, f func(fields []string)) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot list sockets: %w", err)
	}
	_, rows, _ := strings.Cut(string(b), "\n")
	for row := range strings.Lines(rows) {
		f(strings.Fields(row))
	}
	return nil
}

// holders returns the pids of the processes that have one of the sockets open, as far as they may be looked into.
func holders(inodes map[string]bool) (pids processes) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil {
			continue // closed or ended meanwhile
		}
		inode, ok := strings.CutPrefix(to, "socket:[")
		if !ok || !inodes[strings.TrimSuffix(inode, "]")] {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err == nil && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}
