// Package resp reads and writes RESP, the protocol between Redis clients and servers, in both versions that are in use:
// RESP2 and RESP3. It imports the standard library only, opens no socket, starts no goroutine and keeps no global state.
//
// # Reading
//
// A client sends commands in one of two forms:
//
//	*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$2\r\nhi\r\n    an array of bulk strings, what every client library sends
//	PUBLISH room hi\r\n                                  an inline command, what a person types
//
// A [Parser] finds one command at the beginning of a buffer and gives one of three answers: a command and its length,
// "more bytes", or a [ProtocolError], after which the connection is lost. Life of a command:
//
//	              ┌─ all of it is there: one walk over the heads fills Command.Args ────────────▶ n > 0
//	Next(buf) ────┤
//	              └─ it ends too early: the parser keeps offsets and flags, no pointer ─────────▶ n == 0
//	                   └─ Next(the same bytes and more): goes on where it was, jumps over bodies; when the last byte is
//	                      there, the same walk over the heads fills Command.Args ───────────────▶ n > 0
//
// So an argument's bytes are never looked at, a line is searched for its end once, and a head ("$7\r\n") is decoded at most
// three times however finely the command was cut. Nothing is allocated for what a client announces, only 24 bytes per
// argument that has arrived ("$0\r\n\r\n", the shortest, is 6 bytes on the wire).
//
// The zero Parser is ready. It is five words that hold offsets from the command's first byte, so it may be copied
// at any time: an event loop parses with one Parser of its own, and copies it to a connection only while
// that connection's last command is incomplete.
//
// Every length is held against [Limits] before it is believed. Two ready values serve all connections of a server,
// [DefaultLimits] and its BeforeAuth: Next takes a pointer to the one that fits.
//
// # Like Redis
//
// What is accepted, what is refused and the words of the refusal are those of Redis 7.0.15, observed on the running server.
// What may surprise:
//
//   - Integers are canonical: no sign but '-', no leading zero, no space, no "-0".
//   - In the array form a line ends at '\r'; the byte after it is skipped unread, and so are the two bytes after an
//     argument. Such a command is valid, but its bytes are not what a subscriber may be sent: Command.Raw is nil then.
//   - An inline command ends at '\n', with or without a '\r' before it.
//   - A NUL byte hides the rest of its line: the line never ends and is refused once it exceeds Limits.InlineMaxBytes.
//   - Redis notices a line without an end after a read from the socket, so the length at which it refuses depends on how the
//     line was cut. Here it does not: the end has to be among the first InlineMaxBytes+1 bytes, which is what Redis does
//     with bytes that arrive one at a time.
//
// # Writing
//
// The Append functions append one element to a slice that the caller owns, as strconv's do. A [Writer] is such a slice
// with the protocol version of its client; it replaces RESP3's types by what RESP2 clients expect.
package resp
