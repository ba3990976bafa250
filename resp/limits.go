package resp

import "math"

// What Redis 7 allows, and the defaults of Limits.
const (
	// InlineMaxBytes is the longest line, without its end: an inline command, or the count or length in an array's heads.
	InlineMaxBytes = 64 << 10
	// MultibulkMax is the largest number of arguments. It bounds no memory (arguments are counted as they arrive):
	// what bounds a command is the server's limit on the bytes that a client may have pending.
	MultibulkMax = math.MaxInt32
	// BulkMaxBytes is the longest argument, Redis's default for proto-max-bulk-len.
	BulkMaxBytes = 512 << 20
	// UnauthenticatedMultibulkMax is the largest number of arguments before authentication: HELLO with all its options has 7.
	UnauthenticatedMultibulkMax = 10
	// UnauthenticatedBulkMaxBytes is the longest argument before authentication.
	UnauthenticatedBulkMaxBytes = 16 << 10
)

// Limits bound what a client may announce. The zero value refuses everything: start from DefaultLimits.
// A Limits is read only by Next and may be shared by any number of parsers as long as nobody changes it.
type Limits struct {
	InlineMaxBytes  int  // longest line without its end, in bytes; 20 or more, as every head that can be right fits in 20
	MultibulkMax    int  // most arguments of a command
	BulkMaxBytes    int  // longest argument, in bytes
	Unauthenticated bool // UnauthenticatedMultibulkMax and UnauthenticatedBulkMaxBytes hold as well
}

// DefaultLimits gives Redis's limits for a client that needs no authentication or has passed it.
func DefaultLimits() Limits {
	return Limits{InlineMaxBytes: InlineMaxBytes, MultibulkMax: MultibulkMax, BulkMaxBytes: BulkMaxBytes}
}

// BeforeAuth gives the same limits for a client that has yet to authenticate.
func (l Limits) BeforeAuth() Limits {
	l.Unauthenticated = true
	return l
}

// checkCount tells why a command may not announce n arguments, nil if it may.
func (l *Limits) checkCount(n int64) *ProtocolError {
	if n > int64(l.MultibulkMax) {
		return errMultibulkLength
	}
	if l.Unauthenticated && n > UnauthenticatedMultibulkMax {
		return errUnauthenticatedMultibulk
	}
	return nil
}

// checkBulk tells why an argument may not be n bytes long, nil if it may.
func (l *Limits) checkBulk(n int64) *ProtocolError {
	if n < 0 || n > int64(l.BulkMaxBytes) {
		return errBulkLength
	}
	if l.Unauthenticated && n > UnauthenticatedBulkMaxBytes {
		return errUnauthenticatedBulk
	}
	return nil
}
