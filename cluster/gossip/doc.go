// Package gossip knows which nodes of a cluster seem to live and how busy they
// are. It is a hint: who is a member is what consensus says.
//
// Membership is hashicorp/memberlist's (SWIM with Lifeguard's additions): each
// node probes another one twice a second, has others try when that fails, then
// suspects it, and all take it for dead if it does not object. Its messages are
// msgpack, and so is the frame of what HubSub adds; that itself, what nodes say of
// themselves (meta.go) and of their load, is JSON. All of it goes over the one
// cluster port.
//
// # The life of a report
//
// Once a second report (report.go) asks the caller how busy this node is, and
// sends that to the leader and one other. So the leader knows each node's load as
// of a second ago, and who leads next has a table already. A report is a frame of
// its own kind, which its reader hands to the caller at once: memberlist would hand
// it from one goroutine to the next, and each hand-over may wake a thread. With each
// exchange of all that two nodes know their tables go along. Each node keeps the
// report with the highest Seq of each living member (view.go) and hands it to the
// caller, once.
//
// # The life of a packet
//
// WriteTo (transport.go) puts it into the queue of its peer and returns: it never
// waits and never fails, for memberlist has one goroutine for all gossip and one
// for all probes. The peer's own goroutine (peer.go) dials when there is something
// to send, and writes all that has come in one piece. What it cannot send is
// dropped and counted: these are datagrams. The peer reads frames (frame.go), hands
// the packets to memberlist, and answers over a connection of its own. An exchange
// of all that is known is a connection of another kind, which memberlist gets.
//
// memberlist knows addresses with an IP only, so names are resolved here. Who
// answers at such an address may be a later process: probes name whom they are
// for, names are those of processes and never used again, and the port lets no
// process of another cluster in. So nothing here asks the port for a certain name.
//
// # A partition heals
//
// memberlist forgets the dead after a minute, and never looks for them: two halves
// that were cut off for longer would stay apart. So every ten seconds each node
// tries to join one of the caller's contacts and one of the members it has lost
// in the last day (rejoin.go).
//
// # How fast, and what it costs
//
// A node that dies or hangs is lost on all others after 2 to 4.5 s in clusters of 2
// to 12, 95 of 100 times within 3.5 s; among 100 it takes 5 s (detection_test.go,
// in virtual time). A node that is cut off takes up to 8 s to lose the others, for
// it doubts itself first. An idle node among 12 sends 6 packets a second and
// receives 5, of 80 bytes, its leader 15 (idle_test.go). What that costs is the
// wakes of the process, not the bytes: so what can wait for the same wake does.
//
// # Threads
//
// memberlist calls [view] with its own lock held: view takes down what it hears
// under its own, and wakes deliver, which calls the caller's functions with no
// lock of memberlist's held. report and rejoin are loops. Each peer has a goroutine
// that writes, and each connection one that reads, and delivers the reports that it
// has read. One delivers at a time, so that what is newer comes later.
//
// # Imports
//
// placement, port; memberlist, sonic.
package gossip
