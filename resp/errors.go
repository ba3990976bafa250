package resp

// ProtocolError says that what a client sent is no command. The client is told "-ERR " + Error() and the connection is
// closed: where the next command would begin is unknown.
type ProtocolError struct {
	Reason string // in Redis's words, without the "Protocol error: " that Error puts before it
}

// Error gives "Protocol error: " and the reason, as Redis words it.
func (e *ProtocolError) Error() string {
	return "Protocol error: " + e.Reason
}

var (
	errMultibulkLine            = &ProtocolError{"too big mbulk count string"}
	errMultibulkLength          = &ProtocolError{"invalid multibulk length"}
	errUnauthenticatedMultibulk = &ProtocolError{"unauthenticated multibulk length"}
	errBulkLine                 = &ProtocolError{"too big bulk count string"}
	errBulkLength               = &ProtocolError{"invalid bulk length"}
	errUnauthenticatedBulk      = &ProtocolError{"unauthenticated bulk length"}
	errInlineLine               = &ProtocolError{"too big inline request"}
	errInlineQuotes             = &ProtocolError{"unbalanced quotes in request"}
)

// errNoBulk refuses an argument that begins with got instead of '$'. A line break cannot stand in an answer and is shown as a
// space, as Redis shows it.
func errNoBulk(got byte) *ProtocolError {
	if got == '\r' || got == '\n' {
		got = ' '
	}
	return &ProtocolError{"expected '$', got '" + string([]byte{got}) + "'"}
}
