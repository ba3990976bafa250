// Package placement decides where rooms live: which nodes host each room, and
// that all agree on it.
//
// # The parts
//
//	client ─▶ Front ──Ask──▶ Decider ──Reserve──▶ Host ─▶ engine
//	                        (the leader's) ◀─Reserved──
//	                            │ Propose
//	                     consensus ─▶ Table of every voter
//
// The [Table] is what the cluster agreed on: its members, and for each room an
// epoch and the hosts. It changes only by entries of the consensus log. The
// [Decider] runs on every member that may lead; the one that leads answers where
// rooms live, finds hosts for new ones, replaces dead hosts and closes what nobody
// uses. The [Host] is a node's own view of what it hosts, and of who the members
// are. The [Front] asks the leader on behalf of a node's clients.
//
// # A room is made
//
// The leader picks the least busy nodes (choose.go), asks them to keep a place
// (Reserve), and proposes the placement when enough have accepted. The entry
// holds the epoch that the room has now, zero if it is new, and fails if that has
// changed: so it does not matter whether an entry whose fate is unknown was
// committed. When it is in the table the leader tells the client and the hosts
// (Activate). A host serves a room only if it was told so.
//
// # A member comes and goes
//
// A process that wants to be a member says so (Join) until it finds itself in a
// roster, which the leader sends to all when the members have changed; only voters
// have the table. It is up, or draining, until it is down or has left. A process
// that comes back has a new name, and a higher boot number than any that is known of
// its node; or it is resumed under its name, with what consensus had stored, and is
// up again, if no newer one has taken its place. Of the rooms that it hosted it
// knows nothing then, nor what it has promised. When no room names a dead process it
// is forgotten (roster.go), and all that the leader knew about it.
//
// # A generation ends
//
// Whoever begins a new generation has a standby's table, which may lack what was
// agreed on last. So its first entry gives all rooms new epochs, higher than any that
// clients or hosts can know; and what a host has from an earlier generation, and the
// table lacks, is adopted (report.go). What this generation has deleted is not. A
// host believes no other generation than its own, and that of which its process is
// the first.
//
// # What makes it safe
//
// Epochs: each change of a room has its own, and a higher one wins, everywhere.
// Terms: a host obeys no leader of an earlier term than one it has heard of.
// Attempts: an answer to one leader's one try is never taken for an answer to
// another. A host that agreed to close a room takes no user until it hears what
// has become of exactly that attempt. Whoever is told where a room lives is told
// only when consensus has confirmed that the leader led when it looked.
//
// What the network loses is repaired by digests: every ten seconds, and to each
// new leader, a host says what it hosts (digest.go) and which roster it has; what
// differs is sent again.
//
// # Snapshots
//
// A snapshot (snapshot.go) shares the shards with the table, which copies one
// before it changes it: taking one costs the same with a million rooms as with
// none, and another goroutine may write it while the table goes on.
//
// # Threads
//
// None. The parts have no clock, no socket, no goroutine and no lock: their
// methods take the time and what has happened, and leave effects for the caller to
// carry out; Next says when Tick has something to do, so that an idle node sleeps.
// So a simulator runs them (sim_test.go), thousands of lives a minute, with faults
// that no machine has often enough. rules_test.go breaks the rules above, one at
// a time, and the simulator must find each.
//
// # Imports
//
// The standard library only.
package placement
