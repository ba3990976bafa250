package command

import "testing"

func TestConfig(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	f := c.says
	f("CONFIG GET timeout", "*2⏎$7⏎timeout⏎$1⏎0")
	f("CONFIG GET TimeOut", "*2⏎$7⏎TimeOut⏎$1⏎0") // as it was asked for
	f("CONFIG GET nothing", "*0")
	f("CONFIG GET MAX*", "*4⏎$10⏎maxclients⏎$5⏎10000⏎$17⏎maxmemory-clients⏎$1⏎0")
	f("CONFIG GET timeout *e* TIMEOUT", "*6⏎$10⏎maxclients⏎$5⏎10000⏎$17⏎maxmemory-clients⏎$1⏎0⏎$7⏎timeout⏎$1⏎0") // each once
	f("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	f("CONFIG GET time*", "%1⏎$7⏎timeout⏎$1⏎0")
	f("CONFIG SET timeout 1", "+OK")
	f("CONFIG SET timeout 2 timeout", "-ERR syntax error")
	f("CONFIG SET foo bar", "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'")
	f("CONFIG REWRITE", "-ERR The server is running without a config file")
	f("CONFIG RESETSTAT", "+OK")
	f("CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP.")

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.set) != 1 || s.set[0] != [2]string{"timeout", "1"} {
		t.Errorf("set %v", s.set)
	}
}
