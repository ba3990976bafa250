// Package control carries the messages of package placement between the nodes of
// a cluster.
//
// # A message's way
//
//	Send ─▶ outbox of the peer ─▶ its writer ══ port ══▶ reader ─▶ Receive
//
// Send encodes the message at the end of the peer's outbox and returns. The
// writer takes all that has come together since its last write and writes it at
// once, so messages are batched under load and wait for nothing otherwise. A
// connection goes one way: each of two nodes dials its own. Messages of one node
// arrive in the order in which they were sent, but some may not arrive: an outbox
// that is full takes no more, one that nobody can be reached for is emptied, and
// what a breaking connection held is lost. Digests repair that (package placement),
// so nothing here acknowledges or repeats.
//
// # On the wire
//
//	frame    length (4 bytes, big endian), JSON
//	JSON     {"t":"ask","m":{…}}      the tag of a type (wire.go), a message of it
//
// Tags that are not known are skipped, so that nodes of neighbouring versions work
// together. A frame that is too long, or that is no such JSON, ends the connection.
//
// # Deaths
//
// Nothing comes back on a connection but its end, which is noticed at once. Then
// the peer is dialed again, also if there is nothing to send. It is proved dead if
// its address refuses connections, where it has answered before, or if another
// process answers in its place. A first connection that is refused proves nothing:
// the peer may be starting. Watch opens a connection to a peer just for that.
//
// # Threads
//
// One per peer writes, and one more looks for the end of its connection. Receive
// is called by the threads of accepted connections, one per peer at a time. Dead
// is called by the peer's writer.
//
// # Imports
//
// placement, for the messages; port, for the connections; sonic for the JSON.
package control
