package command

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestClientListLine(t *testing.T) {
	c := serve(t, "").dial()
	line := c.text("CLIENT LIST")
	form := regexp.MustCompile(`^id=\d+ addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ fd=\d+ name= age=\d+ idle=\d+ ` +
		`flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 ` +
		`obl=0 oll=0 omem=0 tot-mem=300 events=r cmd=client\|list user=default redir=-1 resp=2 lib-name= lib-ver=\n$`)
	if !form.MatchString(line) {
		t.Errorf("got %q", line)
	}
	hasFields(t, line, "addr="+c.conn.LocalAddr().String(), "laddr="+c.conn.RemoteAddr().String(), fmt.Sprintf("id=%d", c.number("CLIENT ID")))
}

func TestClientInfoChanges(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	c.says("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	c.says("SUBSCRIBE a b", pushed("subscribe", "a", 1)+"⏎"+pushed("subscribe", "b", 2))
	c.says("PSUBSCRIBE p", pushed("psubscribe", "p", 3))
	c.says("SSUBSCRIBE s", pushed("ssubscribe", "s", 1))
	c.says("SELECT 7", "+OK")
	c.says("CLIENT SETNAME me", "+OK")
	hasFields(t, c.text("CLIENT INFO"), "name=me", "flags=P", "db=7", "sub=2", "psub=1", "ssub=1", "resp=3", "cmd=client|info")
}

// TestClientListSelects: other clients are seen, from another loop too.
func TestClientListSelects(t *testing.T) {
	s := serve(t, "")
	sub := s.dial()
	subID := sub.number("CLIENT ID")
	sub.says("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	c := s.dial()
	id := c.number("CLIENT ID")
	f := func(command string, want ...int64) {
		t.Helper()
		var ids []int64
		for line := range strings.Lines(c.text(command)) {
			var id int64
			if _, err := fmt.Sscanf(line, "id=%d ", &id); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		if fmt.Sprint(ids) != fmt.Sprint(want) {
			t.Errorf("%s: clients %v, want %v", command, ids, want)
		}
	}
	all := []int64{subID, id}
	for range 6 {
		all = append(all, s.dial().number("CLIENT ID"))
	}
	f("CLIENT LIST", all...)
	f("CLIENT LIST TYPE pubsub", subID)
	f("CLIENT LIST TYPE NORMAL", all[1:]...)
	for _, none := range []string{"master", "slave", "replica"} {
		f("CLIENT LIST TYPE " + none)
	}
	f(fmt.Sprintf("CLIENT LIST ID %d %d 999999", id, subID), id, subID) // as they are given
	f("CLIENT LIST ID 0")
	fault := c.says
	fault("CLIENT LIST x", "-ERR syntax error")
	fault("CLIENT LIST TYPE", "-ERR syntax error")
	fault("CLIENT LIST TYPE x", "-ERR Unknown client type 'x'")
	fault("CLIENT LIST ID", "-ERR syntax error")
	fault("CLIENT LIST ID x", "-ERR Invalid client ID")
	fault("CLIENT LIST TYPE normal ID 3", "-ERR syntax error")
}

func TestClientKillFaults(t *testing.T) {
	f := serve(t, "").dial().says
	f("CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command")
	f("CLIENT KILL 1.2.3.4:5", "-ERR No such client")
	f("CLIENT KILL TYPE", "-ERR No such client") // the old form
	f("CLIENT KILL a b c", "-ERR syntax error")
	f("CLIENT KILL ID 999999 FOO", "-ERR syntax error")
	f("CLIENT KILL ID x", "-ERR client-id should be greater than 0")
	f("CLIENT KILL ID 0", "-ERR client-id should be greater than 0")
	f("CLIENT KILL TYPE x", "-ERR Unknown client type 'x'")
	f("CLIENT KILL USER nobody", "-ERR No such user 'nobody'")
	f("CLIENT KILL SKIPME maybe", "-ERR syntax error")
	f("CLIENT KILL MAXAGE x", "-ERR maxage is not an integer or out of range")
	f("CLIENT KILL MAXAGE 0", "-ERR maxage should be greater than 0")
	f("CLIENT KILL MAXAGE 9223372036854775807 SKIPME no", ":0")
	f("CLIENT KILL ADDR 1.2.3.4:5 SKIPME no", ":0")
	f("CLIENT KILL LADDR 1.2.3.4:5 SKIPME no", ":0")
	f("CLIENT KILL ID 999999", ":0")
	f("CLIENT KILL TYPE normal", ":0") // oneself is spared
	f("CLIENT KILL USER default SKIPME yes", ":0")
	f("CLIENT KILL TYPE master SKIPME no", ":0")
}

func TestClientKill(t *testing.T) {
	s := serve(t, "")
	killer := s.dial()
	f := func(answer, command string, args ...any) {
		t.Helper()
		victim := s.dial()
		id := victim.number("CLIENT ID")
		command = strings.ReplaceAll(command, "<id>", fmt.Sprint(id))
		command = strings.ReplaceAll(command, "<addr>", victim.conn.LocalAddr().String())
		command = strings.ReplaceAll(command, "<laddr>", victim.conn.RemoteAddr().String())
		killer.says(command, answer)
		victim.ends()
	}
	f("+OK", "CLIENT KILL <addr>")
	f(":1", "CLIENT KILL ID <id>")
	f(":1", "CLIENT KILL ADDR <addr>")
	f(":1", "CLIENT KILL LADDR <laddr> TYPE normal USER default ID <id>")
	f(":1", "CLIENT KILL LADDR <laddr>")
	f(":1", "CLIENT KILL skipme yes")

	sub := s.dial()
	sub.says("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	killer.says("CLIENT KILL TYPE pubsub", ":1")
	sub.ends()
	eventually(t, "the subscriber is gone", func() bool {
		return killer.number("PUBLISH a x") == 0
	})
	killer.says("CLIENT KILL ADDR "+killer.conn.LocalAddr().String()+" SKIPME no", ":1")
	killer.ends()
}

// TestClientKilledIsGone: at once, before its loop has closed it.
func TestClientKilledIsGone(t *testing.T) {
	s := serve(t, "")
	killer := s.dial()
	for range 4 { // some are on the killer's loop, some on the other
		id := s.dial().number("CLIENT ID")
		killer.says("MULTI", "+OK")
		killer.says(fmt.Sprintf("CLIENT KILL ID %d", id), "+QUEUED")
		killer.says(fmt.Sprintf("CLIENT KILL ID %d", id), "+QUEUED")
		killer.says(fmt.Sprintf("CLIENT LIST ID %d", id), "+QUEUED")
		killer.says("EXEC", "*3⏎:1⏎:0⏎$0⏎")
	}
}

func TestClientKillMaxAge(t *testing.T) {
	s := serve(t, "")
	old := s.dial()
	old.says("PING", "+PONG")
	killer := s.dial()
	killer.says("CLIENT KILL MAXAGE 1000", ":0")
	now := time.Now().Add(1000 * time.Second)
	f := filter{maxAge: 1000 * time.Second}
	if session := findSession(s.engine, uint64(old.number("CLIENT ID"))); !f.matches(session, now) {
		t.Error("a client of 1000 s is not old")
	}
}
