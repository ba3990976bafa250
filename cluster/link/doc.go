// Package link carries the records of rooms between the nodes of a cluster: in
// order and exactly once, while a session lives.
//
// # A batch's way
//
//	Send ─▶ queue ─▶ batch ─▶ ring ─▶ socket ══ port ══▶ reader ─▶ Receive
//	                            ▲                          │
//	                            └──── acknowledgement ─────┘
//
// Whoever receives says when it has enough. Then its link reads no more, until the
// sender's socket, ring and queue are full, and Send takes nothing.
//
// Records are opaque here, and never cut. Those that wait become one batch: a
// header with the batch's number and a checksum, and a body that is compressed if
// that pays (batch.go). If nothing is on its way, whoever calls Send makes the
// batch and writes it, without blocking, so an idle link costs no change of
// thread. Otherwise the records go to the peer's queue, and its writer takes all
// that has come together during its last write. There is no timer in this.
//
// The ring keeps each batch until the peer has acknowledged it. Acknowledgements
// travel with the batches of the other direction, or alone after a while.
//
// # A session
//
// There is one connection between two nodes, for both directions. When it breaks
// both dial again, and tell each other what they have received; the rest is sent
// again out of the rings. So a short break loses nothing and repeats nothing. The
// session that lives over all these connections has two halves with an id each
// (session.go). It is lost when
//
//   - there was no connection for two seconds, or one that acknowledged nothing,
//   - the peer's process is proved to be another one, or gone,
//   - the peer has lost or forgotten its half,
//   - one connection after the other ends without acknowledging what waits,
//   - something waits for four seconds, however many connections there were.
//
// Then Broken is called, once on each side, and a new session begins with nothing
// in it. A full ring loses nothing: the queue waits behind it, and when that is
// full Send takes nothing more. On a slow way no more is under way than takes a
// second.
//
// If both dial at the same time, the connection that the lower name has dialed is
// the one that lives (handshake.go).
//
// # What peers may do
//
// They are nodes of the cluster, but may be of another version, or broken. What
// comes is checked before memory is spent on it and before Receive sees it. What
// does not fit closes the connection, is counted, and nobody else notices. A slow
// or hung peer has its own queue, its own ring and its own thread that writes.
//
// # Threads
//
// Each peer has one that dials and writes, and while it is connected one that
// reads and calls Receive. Send is called by any, and writes what is short itself
// if nothing is under way.
//
// A process that waits for many sockets anyhow may wait for those of links, too
// (Config.Watch): then they are read and Receive is called from there, and the
// reader only sees to the connection's end. For a message that comes alone that
// saves waking two threads of the runtime: of four nodes with 250 messages a second
// each, a delivered one cost 55 µs of CPU instead of 74, and a hop 8 µs instead of
// 43. The price: peers are not apart from each other any more as they are read. One
// thread expands and hands over the batches of all that it watches, one after the
// other, for as long as they keep coming; and while it does something else, nothing
// of any of them is read or acknowledged.
//
// # Imports
//
// port, for the connections; placement, for names; s2 of klauspost/compress; sonic
// for the JSON of the handshake; x/sys for sends that do not block.
package link
