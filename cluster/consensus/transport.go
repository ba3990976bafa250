package consensus

import (
	"io"
	"strconv"

	"github.com/hashicorp/raft"
)

// transport is raft's own over the port, less what is wrong with it or behind
// it: doc.go tells.
type transport struct {
	*raft.NetworkTransport
	calls chan raft.RPC

	stop    <-chan struct{}
	rebuild func() // raft shall be started again with what it has stored
}

func newTransport(l *layer, log *raftLog, stop <-chan struct{}, rebuild func()) *transport {
	return &transport{
		NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
			Stream: l, MaxPool: pooledConns, MaxRPCsInFlight: callsFlying, Timeout: rpcTimeout, Logger: log.hclog(),
			MsgpackUseNewTimeFormat: true,
		}),
		calls: make(chan raft.RPC), stop: stop, rebuild: rebuild,
	}
}

// SetHeartbeatHandler does nothing, so that heartbeats are calls like all
// others: issue 695.
func (t *transport) SetHeartbeatHandler(func(raft.RPC)) {}

// Consumer is where raft takes calls from.
func (t *transport) Consumer() <-chan raft.RPC { return t.calls }

// serve passes calls on to raft until the end.
func (t *transport) serve(r *raft.Raft) {
	for {
		var call raft.RPC
		select {
		case call = <-t.NetworkTransport.Consumer():
		case <-t.stop:
			return
		}
		if m, ok := call.Command.(*raft.InstallSnapshotRequest); ok {
			if m.Term >= r.CurrentTerm() && m.LastLogIndex <= r.AppliedIndex() {
				go refuseOld(call, m)
				continue
			}
			call = t.watch(r, call, m)
		}
		select {
		case t.calls <- call:
		case <-t.stop:
			return
		}
	}
}

// refuseOld answers a snapshot of what has been applied here already. Raft would
// go back to it, drop entries that it has acknowledged, and die of missing them.
// That all up to there is here is true.
func refuseOld(call raft.RPC, m *raft.InstallSnapshotRequest) {
	_, err := io.Copy(io.Discard, call.Reader)
	call.Respond(&raft.InstallSnapshotResponse{Term: m.Term, Success: err == nil}, err)
}

// watch lets raft install a snapshot. If the log reached as far as the snapshot,
// and so was another one, raft has deleted the entries but still goes by the last
// of them: it would reject all that follows, or even be elected for what it does
// not have. What it has stored is right, so it is started again.
func (t *transport) watch(r *raft.Raft, call raft.RPC, m *raft.InstallSnapshotRequest) raft.RPC {
	answer, done := call.RespChan, make(chan raft.RPCResponse, 1)
	call.RespChan = done
	go func() {
		select {
		case a := <-done:
			answer <- a
			resp, ok := a.Response.(*raft.InstallSnapshotResponse)
			if ok && resp.Success && lastLog(r) >= m.LastLogIndex {
				t.rebuild()
			}
		case <-t.stop:
		}
	}()
	return call
}

// lastLog is the index of what raft takes for the last entry of its log, be it
// there or not.
func lastLog(r *raft.Raft) uint64 {
	n, _ := strconv.ParseUint(r.Stats()["last_log_index"], 10, 64) // raft formats it
	return n
}
