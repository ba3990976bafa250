package e2e

import (
	"bytes"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"
)

// How the guests of a storm behave. Each conduct is one stay: it connects, does what its name says, and returns what
// the server did wrong.

const (
	stormSleepers  = 8 // guests at once that do not read: each can make the server owe its limit
	sleeperBuffer  = 4 << 10
	sleeperTime    = 500 * time.Millisecond
	sleeperDocs    = 200  // big answers that one asks for
	pipelineLength = 5000 // commands in one write
	silenceTime    = 200 * time.Millisecond
	stormCommands  = 40 // in a valid conversation, at the most
	// queuedBytes: a client that queues more than this may be over the query buffer limit that another guest has set.
	queuedBytes = 1 << 20
)

type conduct struct {
	name   string
	weight int
	stay   func(st *storm, s speaker) error
}

var conducts = []conduct{
	{"knows all answers", 8, (*storm).know},
	{"says all that is valid", 8, (*storm).talk},
	{"babbles", 16, func(st *storm, s speaker) error { return st.babble(s, st.babbling(s), atOnce) }},
	{"babbles in pieces", 6, func(st *storm, s speaker) error { return st.babble(s, st.babbling(s), inPieces) }},
	{"babbles byte by byte", 2, func(st *storm, s speaker) error { return st.babble(s, st.babbling(s), byteByByte) }},
	{"babbles urgently", 2, func(st *storm, s speaker) error { return st.babble(s, st.babbling(s), urgently) }},
	{"speaks HTTP or TLS", 2, func(st *storm, s speaker) error { return st.babble(s, foreign(s), atOnce) }},
	{"sends thousands at once", 1, (*storm).flood},
	{"breaks off", 4, (*storm).breakOff},
	{"does not read", 2, (*storm).stall},
	{"says nothing", 2, (*storm).beSilent},
	{"is killed", 3, (*storm).beKilled},
}

// visit behaves in one way after the other until the storm is over, at first as the guest's place among all says: so
// that everything happens, however short the storm is.
func (st *storm) visit(s speaker, place int) error {
	var lots []conduct
	for _, c := range conducts {
		lots = append(lots, slices.Repeat([]conduct{c}, c.weight)...)
	}
	for c := conducts[place%len(conducts)]; ; c = lots[s.IntN(len(lots))] {
		if err := c.stay(st, s); err != nil {
			return fmt.Errorf("a guest that %s: %w", c.name, err)
		}
		st.mu.Lock()
		st.met[c.name]++
		st.mu.Unlock()
		if st.ended() {
			return nil
		}
	}
}

// know has a conversation of which it knows all answers.
func (st *storm) know(s speaker) error {
	m := newModel(s, fmt.Sprintf("model%d", s.Uint64()))
	m.converse()
	end := ending(s.IntN(2) == 0)
	if end == byQuit {
		m.quit()
	}
	h, err := st.converse(s, m.sent, []pace{atOnce, inPieces}[s.IntN(2)], end)
	if err != nil {
		return err
	}
	if h.cut {
		return fmt.Errorf("the stream ends inside an answer: %.2000q", m.sent)
	}
	return m.check(h.replies)
}

// talk says anything that is valid. In the end RESET brings it to order, from whatever state, and ECHO must be heard.
func (st *storm) talk(s speaker) error {
	b := st.conversation(s)
	b = appendCommand(appendCommand(b, "RESET"), "RESET") // CLIENT REPLY SKIP swallows one
	b = append(appendCommand(b, "ECHO", "end of the talk"), quit...)
	h, err := st.converse(s, b, []pace{atOnce, inPieces}[s.IntN(2)], ending(s.IntN(2) == 0))
	if err != nil {
		return err
	}
	last := len(h.replies) - 2
	if !mayEndEarly(b) && (h.cut || last < 0 || h.replies[last].text != "end of the talk" || h.replies[last+1].text != "OK") {
		return fmt.Errorf("does not end in order: cut off: %t, %d answers, the last %.300q\n    to %s",
			h.cut, len(h.replies), h.replies[max(0, last-1):], outline(b))
	}
	return nil
}

// outline shows the beginning of each line of a conversation.
func outline(b []byte) string {
	var lines []string
	for line := range strings.SplitSeq(string(b), "\r\n") {
		if !strings.HasPrefix(line, "$") {
			lines = append(lines, fmt.Sprintf("%.40q", line))
		}
	}
	return strings.Join(lines, " ")
}

// mayEndEarly: somebody may delete the client's user, or what it queues is too long, or what it hears.
func mayEndEarly(b []byte) bool {
	return len(b) > queuedBytes || loggedIn.Match(b) || subscribing.Match(b)
}

var (
	loggedIn    = regexp.MustCompile("\r\n(auth|AUTH)\r\n")
	subscribing = regexp.MustCompile("\r\np?subscribe\r\n")
)

// conversation draws valid commands: those whose turn it is, with any arguments.
func (st *storm) conversation(s speaker) (b []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for range 1 + s.IntN(stormCommands) {
		name := st.commands[st.turn%len(st.commands)]
		st.turn++
		st.spoken[name]++
		if name != "quit" {
			b = appendCommand(b, s.say(name)...)
		}
	}
	return b
}

// babbling draws a damaged conversation: of valid commands, or of a scenario.
func (st *storm) babbling(s speaker) []byte {
	undamaged := func() []byte {
		if s.IntN(2) == 0 {
			return st.corpus[s.IntN(len(st.corpus))]
		}
		words := s.say(st.commands[s.IntN(len(st.commands))])
		if s.IntN(4) == 0 {
			return []byte(inlineCommand(words))
		}
		return appendCommand(nil, words...)
	}
	for {
		if b := mutate(s.Rand, slices.Concat(undamaged(), undamaged(), undamaged()), undamaged()); b != nil {
			return b
		}
	}
}

// foreign is the beginning of a conversation in another protocol.
func foreign(s speaker) []byte {
	return []byte(s.one(
		"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		"POST /publish HTTP/1.1\r\nContent-Length: 14\r\n\r\nPUBLISH storm1 x\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"+strings.Repeat("\xa5", 512),
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00",
		"\x00\x00\x00\x17\x00\x03\x00\x00user\x00storm\x00\x00",
		"SSH-2.0-OpenSSH_9.2\r\n",
	))
}

// babble says what is not valid, or only by chance.
func (st *storm) babble(s speaker, b []byte, write pace) error {
	_, err := st.converse(s, b, write, byEndOfStream)
	return err
}

// flood sends thousands of commands in one write and gets as many answers.
func (st *storm) flood(s speaker) error {
	b := bytes.Repeat(appendCommand(nil, "PUBLISH", fmt.Sprintf("storm%d", s.IntN(stormNames)), "x"), pipelineLength)
	b = append(b, quit...)
	h, err := st.converse(s, b, []pace{atOnce, inPieces}[s.IntN(2)], byQuit)
	if err != nil {
		return err
	}
	if len(h.replies) != pipelineLength+1 || h.cut {
		return fmt.Errorf("%d answers to %d commands", len(h.replies), pipelineLength)
	}
	return nil
}

// breakOff ends in the middle of a conversation: with a reset, or with an end on both sides at once.
func (st *storm) breakOff(s speaker) error {
	conn, err := st.enter(s)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answerLimit))
	b := st.conversation(s)
	conn.Write(b[:s.IntN(len(b)+1)]) // nobody is told what came of it
	if tcp, ok := conn.(*net.TCPConn); ok && s.IntN(2) == 0 {
		tcp.SetLinger(0)
	}
	return nil
}

// stall asks for much and hears much, and reads nothing of it.
func (st *storm) stall(s speaker) error {
	select {
	case st.sleepers <- struct{}{}:
		defer func() { <-st.sleepers }()
	default:
		return st.breakOff(s)
	}
	conn, err := st.enter(s)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadBuffer(sleeperBuffer); err != nil {
		return err
	}
	conn.SetWriteDeadline(time.Now().Add(sleeperTime)) // the server may stop reading one that does not read
	b := appendCommand(nil, "COMMAND", "DOCS")
	if s.IntN(2) == 0 {
		b = appendCommand(nil, "PSUBSCRIBE", s.one("*", "storm*"))
	}
	for range sleeperDocs {
		if _, err := conn.Write(b); err != nil {
			break
		}
	}
	st.pause(time.Duration(s.Int64N(int64(sleeperTime))))
	return nil
}

// beSilent says nothing, or a byte.
func (st *storm) beSilent(s speaker) error {
	conn, err := st.enter(s)
	if err != nil {
		return err
	}
	defer conn.Close()
	if s.IntN(2) == 0 {
		urgently(st, s, conn, []byte{oddByte(s.Rand)})
	}
	st.pause(time.Duration(s.Int64N(int64(silenceTime))))
	return nil
}

// beKilled is killed by itself or by another connection of its own, and sees its end.
func (st *storm) beKilled(s speaker) error {
	conn, err := st.enter(s)
	if err != nil {
		return err
	}
	victim := newClient(conn)
	defer victim.close()
	id, err := victim.do("CLIENT", "ID")
	if err != nil {
		return err
	}
	if s.IntN(2) == 0 {
		if _, err := victim.do("PSUBSCRIBE", "storm*"); err != nil {
			return err
		}
	}
	conn, err = st.enter(s)
	if err != nil {
		return err
	}
	killer := newClient(conn)
	defer killer.close()
	if err := killer.expect("1", "CLIENT", "KILL", "ID", id.String()); err != nil {
		return err
	}
	for err == nil {
		_, err = victim.read()
	}
	if !isEnd(err) {
		return fmt.Errorf("who was killed sees %w", err)
	}
	if err := killer.send("CLIENT", "KILL", "ID", id.String(), "SKIPME", "no"); err != nil {
		return err
	}
	return killer.next("0")
}
