// Package port is the one TCP port on which the nodes of a cluster meet.
//
// Everything that nodes say to each other comes over connections of this port.
// Each connection is of one [Kind], which is its first byte; then both sides greet
// each other, and if nothing speaks against it the connection belongs to what has
// registered for the kind.
//
// # A connection is made
//
//	dialer    kind                       one byte
//	          opening                    protocol versions, a nonce, whether it has a secret
//	acceptor  opening                    the same of the other side
//	dialer    hello     [proof]          its greeting, and whom it wants
//	acceptor  answer    [proof]          its greeting, and its verdict
//
// Openings, hello and answer are JSON behind its length (four bytes, big endian).
// A proof is 32 bytes, and is there if both have a secret. Both sides speak the
// lower of their highest versions, and skip fields that they do not know, so nodes
// of neighbouring versions understand each other. The acceptor judges: it alone
// has both greetings. A dialer that wanted a certain process and finds another one
// there is told so: it knows then that the one it wanted is dead.
//
// # The secret
//
// A proof is an HMAC-SHA256 over the direction, the kind, and all that both sides
// have said so far, nonces included, with a key derived from the cluster's secret.
// So no greeting can be replayed, reflected or altered. The dialer proves itself
// first: whoever connects to a node without knowing its secret learns that there
// is one, which versions the node speaks, and nothing else. A dialer shows its
// greeting, and with its proof something to try guesses on, to whoever has taken
// the address that it dials; so a secret has to be long and random.
//
// After that the bytes are neither encrypted nor authenticated: the secret keeps
// strangers and misconfigured nodes out, not those who read or change what is on
// the wire.
//
// # Threads
//
// One accepts. Each accepted connection has one that greets and then runs the
// kind's handler. Who dials greets in its own.
//
// # Imports
//
// placement, for names; sonic for the JSON; x/sys for sockets that are taken from
// the runtime.
package port
