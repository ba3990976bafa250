package command

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"hubsub/engine"
	"hubsub/resp"
)

func clientInfo(c call) {
	line := appendClient(nil, c.s, time.Now())
	c.reply().Verbatim("txt", string(line))
}

// clientList is CLIENT LIST [TYPE type] or [ID id …], in the order of the IDs,
// or as they are given.
func clientList(c call) {
	f, ids, fault := parseList(c.args())
	if fault != "" {
		c.fail(fault)
		return
	}
	now := time.Now()
	lines := make(map[uint64]string)
	c.s.Engine().Sessions(func(s *engine.Session) {
		if f.matches(s, now) {
			lines[s.ID()] = string(appendClient(nil, s, now))
		}
	})
	if ids == nil {
		for id := range lines {
			ids = append(ids, id)
		}
		slices.Sort(ids)
	}
	var text strings.Builder
	for _, id := range ids {
		text.WriteString(lines[id])
	}
	c.reply().Verbatim("txt", text.String())
}

// parseList reads the arguments of CLIENT LIST; ids are nil unless given.
func parseList(args [][]byte) (f filter, ids []uint64, fault string) {
	switch {
	case len(args) == 0:
	case is(args[0], "TYPE") && len(args) == 2:
		fault = f.setClass(args[1])
	case is(args[0], "ID") && len(args) > 1:
		f.ids = make(map[uint64]bool)
		for _, arg := range args[1:] {
			id, ok := resp.ParseInt(arg)
			if !ok {
				return f, nil, "ERR Invalid client ID"
			}
			f.ids[uint64(id)] = true
			ids = append(ids, uint64(id))
		}
	default:
		fault = faultSyntax
	}
	return f, ids, fault
}

// appendClient appends a client's line of CLIENT LIST. Any goroutine that has
// the session from Sessions, and the session's loop.
func appendClient(b []byte, s *engine.Session, now time.Time) []byte {
	id := identity(s)
	addr := s.RemoteAddr()
	text := func(field, value string) { b = append(append(b, field...), value...) }
	number := func(field string, value int64) { b = strconv.AppendInt(append(b, field...), value, 10) }

	number("id=", int64(s.ID()))
	text(" addr=", addr)
	text(" laddr=", s.LocalAddr())
	number(" fd=", int64(s.Fd()))
	text(" name=", id.Name)
	number(" age=", int64(now.Sub(s.Created()).Seconds()))
	number(" idle=", int64(now.Sub(s.Active()).Seconds()))
	text(" flags=", flagLetters(s, id, addr))
	number(" db=", int64(id.Database))
	number(" sub=", int64(s.Subscriptions(engine.Channel)))
	number(" psub=", int64(s.Subscriptions(engine.Pattern)))
	number(" ssub=", int64(s.Subscriptions(engine.Shard)))
	number(" multi=", int64(id.Queued))
	text(" watch=", "0")
	number(" qbuf=", s.Buffered())
	text(" qbuf-free=", "0 argv-mem=0")
	number(" multi-mem=", s.Kept())
	text(" rbs=", "0 rbp=0 obl=0 oll=0")
	number(" omem=", s.Backlogged())
	number(" tot-mem=", s.Memory())
	text(" events=", "r")
	if s.Backlogged() > 0 {
		text("", "w")
	}
	text(" cmd=", lastCommand(s))
	text(" user=", userName(s))
	text(" redir=", redirection(id))
	number(" resp=", int64(s.Protocol()))
	text(" lib-name=", id.LibName)
	text(" lib-ver=", id.LibVersion)
	return append(b, '\n')
}

// flagLetters returns the letters of flags=, in Redis's order.
func flagLetters(s *engine.Session, id engine.Identity, addr string) string {
	letters := id.Flags
	for _, f := range []struct {
		set    bool
		letter string
	}{
		{subscribed(s), "P"},
		{id.Queued >= 0, "x"},
		{s.Killed(), "A"},
		{strings.HasSuffix(addr, ":0"), "U"}, // a Unix socket: no TCP client has port 0
	} {
		if f.set {
			letters += f.letter
		}
	}
	if letters == "" {
		return "N"
	}
	ordered := []byte(letters)
	slices.SortFunc(ordered, func(a, b byte) int {
		const order = "PxtBAUeT"
		return strings.IndexByte(order, a) - strings.IndexByte(order, b)
	})
	return string(ordered)
}

func lastCommand(s *engine.Session) string {
	if name := s.LastCommand.Load(); name != nil {
		return *name
	}
	return "NULL"
}

// redirection tells whether invalidations go to the client itself or nowhere.
func redirection(id engine.Identity) string {
	if strings.Contains(id.Flags, "t") {
		return "0"
	}
	return "-1"
}

// findSession returns the client with an ID, or nil.
func findSession(e *engine.Engine, id uint64) (found *engine.Session) {
	e.Sessions(func(s *engine.Session) {
		if s.ID() == id && !s.Killed() {
			found = s
		}
	})
	return found
}
