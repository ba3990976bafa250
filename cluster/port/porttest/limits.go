package porttest

import "time"

const (
	// BrokenAfter is how long a way must be cut for its connections to break, and
	// a dial over it to fail without a deadline of its own.
	BrokenAfter = 10 * time.Second

	// bufferBytes is what one direction of a connection holds: about what kernels
	// hold for a socket.
	bufferBytes = 256 << 10
)
