package command

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestConnectionCommands(t *testing.T) {
	f := serve(t, "").dial().says
	f("PING", "+PONG")
	f("PING x", "$1⏎x")
	f("PING a b", "-ERR wrong number of arguments for 'ping' command")
	f("ECHO x", "$1⏎x")
	f("ECHO", "-ERR wrong number of arguments for 'echo' command")
	f("SELECT 0", "+OK")
	f("SELECT 15", "+OK")
	f("SELECT 16", "-ERR DB index is out of range")
	f("SELECT -1", "-ERR DB index is out of range")
	f("SELECT x", "-ERR value is not an integer or out of range")
	f("SELECT 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647")
	f("ROLE", "*3⏎$6⏎master⏎:0⏎*0")
	f("ACL WHOAMI", "$7⏎default")
	f("ACL FOO x", "-ERR unknown subcommand 'FOO'. Try ACL HELP.")
	f("GET key", "-ERR unknown command 'GET', with args beginning with: 'key' ")
}

func TestNoCluster(t *testing.T) {
	f := serve(t, "").dial().says
	for _, command := range []string{"READONLY", "READWRITE", "ASKING", "CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES", "CLUSTER HELP"} {
		f(command, "-ERR This instance has cluster support disabled")
	}
	f("CLUSTER KEYSLOT", "-ERR wrong number of arguments for 'cluster|keyslot' command")
	f("CLUSTER FOO", "-ERR unknown subcommand 'FOO'. Try CLUSTER HELP.")
}

func TestTime(t *testing.T) {
	c := serve(t, "").dial()
	before := time.Now().Unix()
	c.send("TIME")
	c.gets("*2⏎$10")
	line, err := c.in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	if err != nil || seconds < before || seconds > time.Now().Unix() {
		t.Errorf("got %q", line)
	}
}

func TestHarnessCommands(t *testing.T) {
	f := serve(t, "").dial().says
	f("FLUSHALL", "+OK")
	f("FLUSHALL async", "+OK")
	f("FLUSHDB SYNC", "+OK")
	f("FLUSHALL x", "-ERR syntax error")
	f("FLUSHALL sync x", "-ERR syntax error")
	f("FUNCTION FLUSH", "+OK")
	f("FUNCTION FLUSH ASYNC", "+OK")
	f("FUNCTION FLUSH x", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
	f("FUNCTION FLUSH ASYNC x", "-ERR unknown subcommand or wrong number of arguments for 'FLUSH'. Try FUNCTION HELP.")
	f("FUNCTION LIST", "-ERR unknown subcommand 'LIST'. Try FUNCTION HELP.")
	f("DEBUG LOG x", "+OK")
	f("DEBUG SLEEP 100", "+OK")
	f("debug set-active-expire 0", "+OK")
	f("DEBUG LOG", "-ERR unknown subcommand or wrong number of arguments for 'LOG'. Try DEBUG HELP.")
	f("DEBUG SEGFAULT", "-ERR unknown subcommand or wrong number of arguments for 'SEGFAULT'. Try DEBUG HELP.")
}

func TestShutdown(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	f := c.says
	f("SHUTDOWN x", "-ERR syntax error")
	f("SHUTDOWN SAVE NOSAVE", "-ERR syntax error")
	f("SHUTDOWN ABORT NOW", "-ERR syntax error")
	f("SHUTDOWN ABORT", "-ERR No shutdown in progress.")
	if n := s.shutdowns.Load(); n != 0 {
		t.Fatalf("%d shutdowns", n)
	}
	c.send("SHUTDOWN", "nosave", "NOW", "FORCE")
	c.ends()
	if n := s.shutdowns.Load(); n != 1 {
		t.Errorf("%d shutdowns, want 1", n)
	}
}
