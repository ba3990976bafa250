// Package cluster makes a process a node: it founds a cluster or joins one, and
// tells clients where rooms live.
//
// # The parts
//
//	commands, REST ─▶ Node ─▶ life ─▶ director ─▶ placement (decides)
//	                           │         │
//	          what it knows,   │         ├─ consensus  what all agree on: raft
//	          a noun per file ─┘         ├─ control    messages about rooms
//	                                     └─ gossip     who seems dead, how busy
//	                                           all over port: one TCP port
//
//	leadership.go   who leads: this process, or whom it has heard of
//	deaths.go       who is dead, and the roster does not have it yet
//	members.go      who belongs to the cluster; whereabouts.go where they are
//	loads.go        how busy they are
//	voters.go       who shall vote; whom the voters can spare
//	questions.go    clients that wait for an answer; usage.go rooms that nobody uses
//	reunion.go      finding again who was cut off; visit.go meeting another cluster
//	succession.go   taking over when the only voter is dead
//	isolation.go    cut off: with --partition strict it leads nothing then
//	leave.go        ending in order
//	query.go        what all nodes are asked; roomview.go a room as each sees it
//
// What can be said without a clock, a lock or a network is said by small types and
// functions that have none, each with a table of facts beside it.
//
// A [Node] lives as long as the process. What it is in the cluster is a life: one
// name, that is the node's id and a number of its own, and all parts that speak
// under it. When the others have given a life up, or it belongs to a cluster that
// gives way to another, the node ends it and begins the next, as a newcomer. That
// is what a restart of the process would do, and one way for both is simpler
// than two.
//
// # Founding and joining
//
// A process asks the addresses of --join whether they have a cluster (formation.go,
// pure). If one has, it joins: the leader proposes it as a member, and tells it
// the roster, which is all that a plain node knows. If none has, the first on the
// list founds one. A cluster's name is its id, its generation and something
// random, and is compared by every connection as it begins. Two clusters that meet
// stay two, unless one is a single process without rooms. So a node that a cluster has
// given up founds none while half of the addresses are silent: that cluster may be
// there, and it is this node that is out of reach.
//
// A later generation is begun when the earlier cannot go on: by the survivor of
// two nodes, by the first standby of a cluster whose only voter is proved dead
// before there were three (succession.go), or by the operator (recover.go). Whoever
// is of the earlier yields to it. Where there are three voters nobody takes over by himself:
// what was agreed on last may be known to the dead only.
//
// # Messages of rooms
//
//	engine's loop ◀─▶ Lane ─▶ lane (protocol) ─▶ outgoing, one buffer a node and tick ─▶ link
//	                   ▲ box ◀── link: records of other nodes
//	                   └─────── director: where rooms live, who is dead
//
// Each loop of the engine has a [Lane] (looplane.go). What others have for it waits
// in its box until the loop's next tick; what it asks the director it asks under
// life.mu, for a moment (hosting.go). [Lanes] (lanes.go) outlive the node's lives
// and number the processes that they hear of (peers.go); patterns of no room are
// all lanes' (foreign.go). The loops read the sockets of links themselves
// (watching.go). Whose messages go to a node that does
// not keep up is answered later (brake.go). What all nodes are asked, operators'
// questions and PUBSUB CHANNELS, goes over connections of its own (query.go).
//
// # Ending and returning
//
// A process that ends in order waits until the other voters are a majority
// without it, and until the roster says that it has left (leave.go). With a data
// directory it may come back under its name: it is resumed, asks to be a member
// again, and until it is believes nobody who calls it dead. What is in the
// directory goes only when the node gives its cluster up.
//
// # Deaths
//
// Gossip gives hints. The leader asks a silent member itself before it proposes
// its death. Certain at once is only what control sees: a connection that ended,
// to an address that now refuses, or where another process answers. What is
// certain a node keeps to itself until the roster has it, so that it never waits
// for a leader that it knows to be dead.
//
// # Strangers
//
// The port refuses who does not know the secret, and what is no greeting. Of what
// comes after a greeting all is checked that can be: lengths, JSON, terms and
// epochs of the past change nothing; a greeting that would have a node leave its
// cluster is asked for again where its sender says that it is (visit.go). Who has
// passed the port and tells of the present or of a later term is believed, for
// nobody else knows better. Without a secret that is everybody who reaches it.
//
// All that is refused or dropped is counted by reason ([Stats]), and logged, but
// no more often than once a second in each place.
//
// # Threads
//
// One mutex, life.mu, guards the deciding parts, the table that consensus applies
// entries to, and all else that changes. Whoever holds it never waits: messages
// and proposals go to queues, answers to channels with room. One goroutine
// carries out what the deciding parts want done and tells them the time
// (director.go); control, consensus and gossip call in from goroutines of theirs.
// Since effects are carried out by one goroutine, what comes while it works is
// one entry of the log and one frame per peer.
//
// A life's own goroutine looks again and again at what no event tells of
// (life.go). What has to wait for others, a question whether somebody lives, a
// round of greetings, taking over, is a goroutine of its own for as long; a life
// that ends waits for all of them before it closes its parts.
//
// # Imports
//
// The packages below this one, and the standard library. Never engine: main joins
// the two.
package cluster
