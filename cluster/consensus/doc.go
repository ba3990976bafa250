// Package consensus has the processes of a cluster agree on one placement.Table,
// by hashicorp/raft over the cluster port, and chooses which of them vote.
//
// # The life of a proposal
//
//	Propose ─▶ queue ─▶ raft ─▶ log of a majority ─▶ machine ─▶ Table.Apply, Applied
//
// A proposal is one entry of raft's log (entry.go). Several are under way at once.
// When a majority has it, every process that takes part applies it to its table,
// with the guard held; the one that proposed it hears of it then, before anything
// else is applied. What was under way when leadership ended may be committed yet,
// or not, so nothing is said about it: Leadership(0) says it all. Failed is for
// those that raft was never given.
//
// # Who leads
//
// Leadership(term) comes after a barrier: all that was committed before is in the
// table. Until then nothing is taken. While leadership is handed over, the process
// does not lead, although raft says so, for raft refuses proposals then; should
// the hand-over fail, it leads again, in the same term.
//
// # Who takes part
//
// The leader decides (voters.go, pure): one voter for one or two nodes, three
// from three on, and standbys, which have the table but no vote: up to two beside
// one voter, one beside three. Two voters are worse than one, as both must live; so three are made by two changes
// in a row, and one that is left with two goes back to one. A dead voter is
// removed first and replaced then, and only if there is somebody to replace it: two
// living voters of three can do what two of two can. A living voter that has to go
// becomes a standby first: one that was removed without knowing would stand for
// election for ever. Everybody is asked before it gets something to do, which
// shows that the leader reaches it where it says that it is.
//
// # Identity
//
// A process is one raft server for ever, by its placement.Name. In memory a
// process that restarts has forgotten what it voted, and must not come back under
// its old name. With a data directory it remembers, and comes back as the same
// server: so whoever makes names has to keep the boot number beside the directory,
// and make a new one when that is gone. A directory with snapshots but no log is
// refused, as the votes were in the log's file. The address of a server is
// "host:port|name", and the port is dialed with that name: nobody ever talks to
// another process that has come to the same place.
//
// TakeOver keeps the name, and changes who takes part behind raft's back. The
// former others must never be heard again: the cluster must be called another name
// before, which the port compares.
//
// # What is wrong with raft 1.8.0, and what is done about it
//
//   - Issue 695, safety: heartbeats are handled beside the main loop, and change
//     the term under it. The transport ignores SetHeartbeatHandler; they are calls
//     like all others then. So a process that installs a snapshot answers none.
//   - Issue 697: after a snapshot, entries of another history may stay in the log,
//     and the leader sends the snapshot again for ever. If the log says that it is
//     monotonic, all entries are deleted; but raft still goes by the last one it
//     had, rejects what follows, or panics. If the log reached to the snapshot's end
//     raft is started again over what it has stored (transport.watch). A snapshot
//     of what has been applied already, late from the network, would make it forget
//     what it has acknowledged: it does not see it (refuseOld).
//   - The pipeline of replication waits for itself for ever if a peer refuses or
//     is silent while there is more to send: the peer gets nothing more, and
//     Shutdown does not end. It is switched off (callsFlying). The price is one
//     message per round trip, of up to 256 entries.
//   - Issue 696: a transfer of leadership may never end, and all proposals are
//     refused from then on. If that lasts, raft is started again (office.go).
//   - Issue 248: a snapshot that is older than one from the leader is refused when
//     it is closed.
//   - Its log and snapshots in memory are not for use: memory.go, snapshots.go.
//   - Futures are forgotten at the end: server.await.
//   - Shutdown waits for calls that wait for peers: the connections are closed
//     first.
//   - It tells of leadership by a chan that it waits for: hear does nothing else.
//   - A leader waits up to ten seconds before it tries a follower again that was
//     away for long. That is left so.
//
// raft-boltdb is version 2.3.0: 2.3.1 needs go-metrics/compat, which the
// go-metrics that raft 1.8.0 requires does not have any more. Both of its metrics
// packages throw away what they get, as nobody has given them a sink.
//
// # Threads
//
// Those of raft, and per run of raft seven more: one each for calls (transport),
// what raft says of leadership (hear), what the node is told of it (hold),
// proposals (propose, fail), questions (verify) and the voters (keep). The table is
// changed by raft's own, with Config.Guard held.
//
// # Imports
//
// placement and port of this cluster; raft, its log on disk, sonic.
package consensus
