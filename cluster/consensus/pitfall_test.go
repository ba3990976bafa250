package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"hubsub/cluster/bubble"
	"hubsub/cluster/port"
)

// Issue 695: a heartbeat is a call like all others, whatever handler raft sets.
func TestHeartbeatsTakeNoShortCut(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start(1, ""), w.start(2, "")
		stop := make(chan struct{})
		l := newLayer(b.port, addressOf(b.address, b.name))
		trans := newTransport(l, b.log, stop, func() {})
		defer trans.Close()
		defer close(stop)
		trans.SetHeartbeatHandler(func(raft.RPC) { t.Error("a heartbeat takes the short cut") })
		b.port.Handle(port.Raft, func(conn net.Conn, _ port.Greeting) {
			_, _ = io.ReadFull(conn, make([]byte, 1))
			l.take(conn)
		})
		go func() {
			call := <-trans.NetworkTransport.Consumer()
			call.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
		}()
		var resp raft.AppendEntriesResponse
		other := a.running().network()
		defer other.Close()
		err := other.AppendEntries(raft.ServerID(b.name), addressOf(b.address, b.name),
			&raft.AppendEntriesRequest{Term: 1, Leader: []byte("x"), RPCHeader: raft.RPCHeader{Addr: []byte("x")}}, &resp)
		if err != nil || !resp.Success {
			t.Error(resp, err)
		}
	})
}

// A snapshot that is late from the network changes nothing: neither the table
// nor what has been acknowledged.
func TestLateSnapshotIsNotInstalled(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, _ := w.three()
		w.fill(a, 50)
		if err := a.running().raft.Snapshot().Error(); err != nil {
			t.Fatal(err)
		}
		w.fill(a, 50)
		w.agree(lagMax)
		meta, data, err := a.stores.snapshots.Open(mustOne(t, a.stores.snapshots).ID)
		if err != nil {
			t.Fatal(err)
		}
		before, changes := b.now(), b.changes
		var resp raft.InstallSnapshotResponse
		s := a.running()
		other := s.network()
		defer other.Close()
		err = other.InstallSnapshot(raft.ServerID(b.name), addressOf(b.address, b.name), &raft.InstallSnapshotRequest{
			RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(a.name), Addr: []byte(s.layer.own)},
			Term:      s.raft.CurrentTerm(), SnapshotVersion: meta.Version, Leader: []byte(s.layer.own),
			LastLogIndex: meta.Index, LastLogTerm: meta.Term, Size: meta.Size,
			Configuration: raft.EncodeConfiguration(meta.Configuration), ConfigurationIndex: meta.ConfigurationIndex,
		}, &resp, data)
		if err != nil || !resp.Success {
			t.Errorf("%+v, %v", resp, err)
		}
		time.Sleep(time.Second)
		if b.now() != before || b.changes != changes {
			t.Errorf("the table has changed: %v, then %v", before, b.now())
		}
		w.fill(a, 10)
		w.agree(lagMax)
	})
}

func mustOne(t *testing.T, s raft.SnapshotStore) *raft.SnapshotMeta {
	t.Helper()
	kept, err := s.List()
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	return kept[0]
}

// network returns another transport over the server's layer.
func (s *server) network() *raft.NetworkTransport {
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: struct{ raft.StreamLayer }{deaf{s.layer}}, Timeout: rpcTimeout, Logger: s.c.log.hclog()})
}

// deaf is a layer that accepts nothing.
type deaf struct{ *layer }

func (d deaf) Accept() (net.Conn, error) { <-d.layer.ctx.Done(); return nil, io.EOF }
func (deaf) Close() error                { return nil }

// A process at the address of another one is never taken for it.
func TestAddressesNameProcesses(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, _ := w.three()
		b.kill()
		again := w.start(2, "")
		_, err := a.running().layer.Dial(addressOf(b.address, b.name), time.Second)
		var refused *port.Refused
		if !errors.As(err, &refused) || refused.Reason != port.WrongName {
			t.Errorf("dials %s for %s: %v", again.name, b.name, err)
		}
		if _, err := a.running().layer.Dial(raft.ServerAddress(b.address), time.Second); err == nil {
			t.Error("dials nobody in particular")
		}
	})
}

// Futures that raft forgets at its end do not keep anybody.
func TestFuturesEndWithTheServer(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start(1, "")
		w.found(a)
		blocked := make(chan struct{})
		a.mu.Lock()
		a.block = blocked
		a.mu.Unlock()
		s := a.running()
		a.room("stuck")
		synctest.Wait()
		for range 20 {
			go s.await(s.raft.Barrier(0)) // raft has it, and does not come to it
			synctest.Wait()
		}
		go a.stop()
		synctest.Wait()
		close(blocked)
		synctest.Wait()
		w.until("it has ended", time.Minute, a.isDead)
	})
}

// A removed process that is called again is the same server: nothing to undo.
func TestMovedOutAndIn(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start(1, ""), w.start(2, "")
		w.found(a)
		w.enroll(b)
		w.balancing()
		w.shape(5*time.Second, 1, 1)
		w.drain(b)
		w.shape(5*time.Second, 1, 0)
		w.fill(a, 10)
		time.Sleep(10 * time.Second)
		if !a.leads() || len(a.terms) != 1 {
			t.Error("one that was moved out is felt")
		}
		w.mu.Lock()
		delete(w.drains, b.name)
		w.mu.Unlock()
		w.shape(5*time.Second, 1, 1)
		w.agree(lagMax)
	})
}

// Issue 696: a transfer that never ends leaves a mark in raft, and then it
// refuses all. It is started again, and nothing is lost.
func TestTransferWithoutEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		a, _, _ := w.three()
		w.fill(a, 10)
		s := a.running()
		mark := reflect.ValueOf(s.raft).Elem().FieldByName("leaderState").FieldByName("leadershipTransferInProgress").Addr().UnsafePointer()
		atomic.StoreInt32((*int32)(mark), 1)
		s.office.rest(true)
		s.office.rest(false)
		w.until("raft is started again", transferStuck+2*time.Second, func() bool { return a.running() != s })
		leader := w.leader(10 * time.Second)
		id := leader.room("after")
		w.until("the cluster decides", 5*time.Second, func() bool { return leader.has(id) })
		w.agree(backoffMax)
		if a.rooms() != 11 {
			t.Errorf("%d rooms", a.rooms())
		}
	})
}

func logs(first, last uint64) (all []*raft.Log) {
	for i := first; i <= last; i++ {
		all = append(all, &raft.Log{Index: i, Term: i / 10, Data: []byte(fmt.Sprint(i))})
	}
	return all
}

// Both logs keep what they are told to, without holes.
func TestLogs(t *testing.T) {
	disk, err := diskStores(t.TempDir(), newRaftLog(slog.New(slog.DiscardHandler), new(atomic.Uint64)))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.close()
	for name, l := range map[string]raft.LogStore{"memory": new(memoryLog), "disk": disk.log} {
		if m, ok := l.(raft.MonotonicLogStore); !ok || !m.IsMonotonic() {
			t.Errorf("%s: may have holes", name)
		}
		f := func(first, last uint64) {
			t.Helper()
			a, err := l.FirstIndex()
			b, err2 := l.LastIndex()
			if err := errors.Join(err, err2); a != first || b != last || err != nil {
				t.Errorf("%s: has %d to %d, want %d to %d, %v", name, a, b, first, last, err)
			}
			for _, i := range []uint64{first - 1, first, (first + last) / 2, last, last + 1} {
				var got raft.Log
				err := l.GetLog(i, &got)
				has := i >= first && i <= last && i > 0
				if has && (err != nil || got.Index != i || string(got.Data) != fmt.Sprint(i)) || !has && err != raft.ErrLogNotFound {
					t.Errorf("%s: entry %d is %+v, %v", name, i, got, err)
				}
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		f(0, 0)
		do(l.DeleteRange(0, 0))
		do(l.StoreLogs(logs(5, 5000)))
		f(5, 5000)
		do(l.DeleteRange(5, 3000))
		f(3001, 5000)
		do(l.DeleteRange(4001, 5000))
		f(3001, 4000)
		do(l.StoreLog(logs(4001, 4001)[0]))
		f(3001, 4001)
		do(l.DeleteRange(3001, 4001))
		f(0, 0)
		do(l.StoreLogs(logs(9000, 9001))) // behind a snapshot
		f(9000, 9001)
	}
	m := new(memoryLog)
	if m.StoreLogs(logs(1, 3)) != nil || m.StoreLogs(logs(5, 6)) != errHole || m.StoreLogs(logs(3, 3)) != errHole || m.DeleteRange(2, 2) != errCut {
		t.Error("the log in memory takes a hole")
	}
	if last, _ := m.LastIndex(); last != 3 {
		t.Errorf("ends at %d", last)
	}
}

// A snapshot is there when it is whole, and not before.
func TestMemorySnapshots(t *testing.T) {
	s := new(memorySnapshots)
	create := func(index uint64) raft.SnapshotSink {
		sink, err := s.Create(1, index, 1, raft.Configuration{}, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		return sink
	}
	none := func() {
		t.Helper()
		if kept, _ := s.List(); len(kept) != 0 {
			t.Error("shows a part")
		}
	}
	half, whole := create(10), create(10)
	_, _ = half.Write([]byte("ha"))
	none()
	_ = half.Cancel()
	_ = half.Close()
	none()
	_, _ = whole.Write([]byte("whole"))
	none()
	if err := whole.Close(); err != nil {
		t.Fatal(err)
	}
	meta, data, err := s.Open(mustOne(t, s).ID)
	text, _ := io.ReadAll(data)
	if err != nil || string(text) != "whole" || meta.Size != 5 || meta.Index != 10 {
		t.Errorf("%q, %+v, %v", text, meta, err)
	}
	if err := create(9).Close(); err != errSnapshotOld {
		t.Error("an older one becomes the newest: issue 248")
	}
	if _, _, err := s.Open("other"); err == nil {
		t.Error("opens what is not there")
	}
}

// Snapshots without the log are of a server that has forgotten its votes.
func TestHalfADirectory(t *testing.T) {
	dir, quiet := t.TempDir(), newRaftLog(slog.New(slog.DiscardHandler), new(atomic.Uint64))
	s, err := diskStores(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := s.snapshots.Create(1, 5, 1, raft.Configuration{}, 1, nil)
	if err == nil {
		err = errors.Join(sink.Close(), s.close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if s, err = diskStores(dir, quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := diskStores(dir, quiet); err == nil {
		t.Error("two processes share a directory")
	}
	if err := errors.Join(s.close(), os.Remove(filepath.Join(dir, "log.db"))); err != nil {
		t.Fatal(err)
	}
	if _, err := diskStores(dir, quiet); !errors.Is(err, errHalf) {
		t.Errorf("opens it: %v", err)
	}
}

// Raft's log lines come from warnings upwards, and each seldom.
func TestRaftLog(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var said atomic.Uint64
		l := newRaftLog(slog.New(slog.NewTextHandler(&out, nil)), &said).hclog()
		for range 5 {
			l.Info("nothing")
			l.Warn("something", "peer", "x")
			l.With("of", "y").Error("bad")
		}
		time.Sleep(logInterval)
		l.Warn("something", "peer", "z")
		if n := strings.Count(out.String(), "\n"); n != 3 {
			t.Errorf("%d lines: %s", n, &out)
		}
		if n := said.Load(); n != 11 {
			t.Errorf("%d are counted", n)
		}
		for _, want := range []string{`msg="raft: something" peer=x`, `msg="raft: bad" of=y`, `peer=z others=4`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is missing: %s", want, &out)
			}
		}
	})
}
