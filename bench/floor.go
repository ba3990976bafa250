package bench

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// floor is the least that a fan-out server can do, to compare real ones with: one thread, epoll, no buffers for output,
// no limits, no RESP3. A connection's first PUBLISH gives the length of all its publishes, and where the channel stands
// in them; from then on its input is only divided by that length. Each read goes out with one sendto per subscriber of
// its channel, the verb replaced in the read buffer; it is divided only where the channel changes. A subscriber that
// does not read holds everybody up.
type floor struct {
	poll     *poller
	listener int
	conns    map[int]*floorConn      // by descriptor
	rooms    map[string][]*floorConn // subscribers by channel
	buffer   []byte
	answers  []byte
}

type floorConn struct {
	fd       int
	channels []string // it is a subscriber if there are any
	rest     []byte   // an unfinished command

	// Of a publisher, from its first PUBLISH on.
	length     int // of a command
	channelAt  int
	channelEnd int
}

const (
	publishHead = "*3\r\n$7\r\nPUBLISH\r\n"
	messageVerb = "message"

	// verbAt is where the verb stands in both. They have one length, and so have the command and the message it causes.
	verbAt = len("*3\r\n$7\r\n")
)

// runFloor is "hubsub bench floor". It serves until the context is done.
func runFloor(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("hubsub bench floor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	port := flags.Int("port", 0, "port on 127.0.0.1; 0: a free one, which is printed")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	if flags.NArg() > 0 || *port < 0 || *port > math.MaxUint16 {
		fmt.Fprintln(stderr, "hubsub bench floor: want --port from 0 to 65535 and nothing else")
		return exitUsage
	}
	f, err := newFloor(*port)
	if err == nil {
		fmt.Fprintf(stdout, "listening on %s\n", f.address())
		err = f.serve(ctx)
		f.close()
	}
	if err != nil {
		fmt.Fprintf(stderr, "hubsub bench floor: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func newFloor(port int) (*floor, error) {
	listener, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot create a socket: %w", err)
	}
	poll, err := newPoller()
	if err != nil {
		unix.Close(listener)
		return nil, err
	}
	f := &floor{
		poll: poll, listener: listener, buffer: make([]byte, readBufferBytes),
		conns: make(map[int]*floorConn), rooms: make(map[string][]*floorConn),
	}
	err = unix.SetsockoptInt(listener, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(listener, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(listener, unix.SOMAXCONN)
	}
	if err == nil {
		err = poll.add(listener, listener, unix.EPOLLIN)
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("cannot listen on port %d: %w", port, err)
	}
	return f, nil
}

// address returns host:port.
func (f *floor) address() string {
	name, err := unix.Getsockname(f.listener)
	if err != nil {
		return "unknown"
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*unix.SockaddrInet4).Port))
}

func (f *floor) close() {
	for fd := range f.conns {
		unix.Close(fd)
	}
	unix.Close(f.listener)
	f.poll.close()
}

// serve runs the loop until the context is done.
func (f *floor) serve(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for ctx.Err() == nil {
		for _, event := range f.poll.block(interruptPoll) {
			if fd := int(event.Fd); fd == f.listener {
				f.accept()
			} else if c := f.conns[fd]; c != nil && !f.read(c) {
				f.drop(c)
			}
		}
	}
	return nil
}

func (f *floor) accept() {
	for {
		fd, _, err := unix.Accept4(f.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return // nothing more to accept; a real error comes again with the next event
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if f.poll.add(fd, fd, unix.EPOLLIN) != nil {
			unix.Close(fd)
			continue
		}
		f.conns[fd] = &floorConn{fd: fd}
	}
}

func (f *floor) drop(c *floorConn) {
	for _, name := range c.channels {
		members := f.rooms[name]
		for i, member := range members {
			if member == c {
				members[i] = members[len(members)-1]
				f.rooms[name] = members[:len(members)-1]
				break
			}
		}
	}
	delete(f.conns, c.fd)
	unix.Close(c.fd)
}

// read takes what a connection sent. It reports false when the connection is to be closed.
func (f *floor) read(c *floorConn) bool {
	kept := copy(f.buffer, c.rest)
	n, err := receive(c.fd, f.buffer[kept:])
	if err != nil || n == 0 {
		return err == unix.EAGAIN
	}
	b := f.buffer[:kept+n]
	if c.length == 0 && bytes.HasPrefix(b, []byte(publishHead)) {
		c.measure(b)
	}
	used := 0
	if c.length > 0 {
		used = len(b) / c.length * c.length
		f.fanOut(c, b[:used])
	} else if !bytes.HasPrefix([]byte(publishHead), b) {
		used = f.execute(c, b)
	}
	if len(b)-used > len(f.buffer)/2 {
		return false // a command too long for the buffer
	}
	c.rest = append(c.rest[:0], b[used:]...)
	return true
}

// measure finds the layout of the publisher's commands in its first one, if that is there up to the payload's length.
func (c *floorConn) measure(b []byte) {
	channel, size, ok := bulkAt(b, len(publishHead))
	if !ok {
		return
	}
	payload, payloadSize, ok := bulkAt(b, channel+size+len("\r\n"))
	if !ok {
		return
	}
	c.channelAt, c.channelEnd = channel, channel+size
	c.length = payload + payloadSize + len("\r\n")
}

// bulkAt returns where the content of the bulk string that begins at b[at] stands. It reports false if its header is not
// complete, or none.
func bulkAt(b []byte, at int) (content, size int, ok bool) {
	if at >= len(b) || b[at] != '$' {
		return 0, 0, false
	}
	end := bytes.Index(b[at:], []byte("\r\n"))
	if end < 0 {
		return 0, 0, false
	}
	size, err := strconv.Atoi(string(b[at+1 : at+end]))
	return at + end + len("\r\n"), size, err == nil && size >= 0 && size < readBufferBytes
}

// fanOut sends complete PUBLISH commands to their subscribers as messages, and answers them.
func (f *floor) fanOut(c *floorConn, b []byte) {
	f.answers = f.answers[:0]
	for begin := 0; begin < len(b); {
		name := b[begin+c.channelAt : begin+c.channelEnd]
		members := f.rooms[string(name)]
		end := begin
		for end < len(b) && bytes.Equal(b[end+c.channelAt:end+c.channelEnd], name) {
			copy(b[end+verbAt:], messageVerb)
			f.answers = append(f.answers, ':')
			f.answers = strconv.AppendInt(f.answers, int64(len(members)), 10)
			f.answers = append(f.answers, "\r\n"...)
			end += c.length
		}
		for _, member := range members {
			sendAll(member.fd, b[begin:end])
		}
		begin = end
	}
	if len(f.answers) > 0 {
		sendAll(c.fd, f.answers)
	}
}

// execute runs the complete commands of a connection that does not publish and returns how many bytes they were.
func (f *floor) execute(c *floorConn, b []byte) (used int) {
	var out []byte
	for {
		if bytes.HasPrefix(b[used:], natsPing) { // inline, from one who asks what it speaks
			used += len(natsPing)
			out = append(out, pongPlain...)
			continue
		}
		args, length, ok := wholeCommand(b[used:])
		if !ok {
			break
		}
		used += length
		switch {
		case string(args[0]) == "SUBSCRIBE":
			for _, name := range args[1:] {
				c.channels = append(c.channels, string(name))
				f.rooms[string(name)] = append(f.rooms[string(name)], c)
				out = fmt.Appendf(out, "*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:%d\r\n", len(name), name, len(c.channels))
			}
		case string(args[0]) == "PING" && c.channels != nil:
			out = append(out, pongPush...)
		case string(args[0]) == "PING":
			out = append(out, pongPlain...)
		default:
			out = append(out, "-ERR the floor only fans out\r\n"...)
		}
	}
	if len(out) > 0 {
		sendAll(c.fd, out)
	}
	return used
}

// wholeCommand returns the first command of b, if it is complete and well-formed, and its length.
func wholeCommand(b []byte) (args [][]byte, length int, ok bool) {
	end := bytes.Index(b, []byte("\r\n"))
	if end < 1 || b[0] != '*' {
		return nil, 0, false
	}
	n, err := strconv.Atoi(string(b[1:end]))
	if err != nil || n < 1 {
		return nil, 0, false
	}
	at := end + len("\r\n")
	for range n {
		content, size, ok := bulkAt(b, at)
		if !ok || content+size+len("\r\n") > len(b) {
			return nil, 0, false
		}
		args = append(args, b[content:content+size])
		at = content + size + len("\r\n")
	}
	return args, at, true
}

// sendAll sends everything, waiting while the socket is full. A broken connection is left to the next read.
func sendAll(fd int, b []byte) {
	for len(b) > 0 {
		n, err := send(fd, b)
		if err == unix.EAGAIN {
			unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		} else if err != nil {
			return
		}
		b = b[n:]
	}
}
