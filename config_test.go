package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"hubsub/engine"
	"hubsub/engine/command"
)

var update = flag.Bool("update", false, "write the table of options into README.md")

func TestJoinValues(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		if got := strings.Join(joinValues(strings.Fields(args)), "|"); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
	f("--port 7000", "--port=7000")
	f("--port=7000 --loops 2", "--port=7000|--loops=2")
	f("--bind 127.0.0.1 -::1 --port 1", "--bind=127.0.0.1 -::1|--port=1")
	f("--bind=127.0.0.1 -::1", "--bind=127.0.0.1 -::1")
	f("--client-output-buffer-limit pubsub 1mb 0 0", "--client-output-buffer-limit=pubsub 1mb 0 0")
	f("-h", "-h")
	f("--port 1 -h", "--port=1|-h")
	f("--help", "--help")
	f("word --port 1", "word|--port=1")
}

func TestValues(t *testing.T) {
	f := func(name, given, shown string) {
		t.Helper()
		var o options
		for _, opt := range o.table() {
			if opt.name == name {
				if err := opt.set(given); err != nil {
					t.Errorf("%s %q: %v", name, given, err)
				} else if got := opt.value.String(); got != shown {
					t.Errorf("%s %q: shown as %q, want %q", name, given, got, shown)
				}
			}
		}
	}
	f("maxclients", "20000", "20000")
	f("proto-max-bulk-len", "1mb", "1048576")
	f("proto-max-bulk-len", "2M", "2000000")
	f("proto-max-bulk-len", "1GB", "1073741824")
	f("protected-mode", "NO", "no")
	f("coalesce-max", "500us", "500µs")
	f("coalesce-max", "0", "0s")
	f("unixsocketperm", "700", "700")
	f("loglevel", "Verbose", "verbose")
	f("bind", " 127.0.0.1   -::1 ", "127.0.0.1 -::1")
	f("client-output-buffer-limit", "replica 1kb 2 3", "normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60")
}

func TestValueErrors(t *testing.T) {
	f := func(name, given, want string) {
		t.Helper()
		var o options
		for _, opt := range o.table() {
			if opt.name == name {
				if err := opt.set(given); err == nil || err.Error() != want {
					t.Errorf("%s %q: error %v, want %q", name, given, err, want)
				}
			}
		}
	}
	f("maxclients", "many", "argument couldn't be parsed into an integer")
	f("maxclients", "0", "argument must be between 1 and 4294967295 inclusive")
	f("timeout", "-1", "argument must be between 0 and 2147483647 inclusive")
	f("proto-max-bulk-len", "1", "argument must be between 1048576 and 9223372036854775807 inclusive")
	f("proto-max-bulk-len", "1tb", "argument must be a memory value")
	f("proto-max-bulk-len", "99999999999gb", "argument must be a memory value")
	f("protected-mode", "maybe", "argument must be 'yes' or 'no'")
	f("loglevel", "loud", "argument(s) must be one of the following: debug, verbose, notice, warning")
	f("coalesce-max", "-1ms", "argument must be a duration of at most 1s, such as 1ms, 500us or 0")
	f("coalesce-max", "1m", "argument must be a duration of at most 1s, such as 1ms, 500us or 0")
	f("unixsocketperm", "999", "argument must be an octal number of at most 777")
	f("client-output-buffer-limit", "pubsub", "Wrong number of arguments in buffer limit configuration.")
	f("client-output-buffer-limit", "friend 1 2 3", "Invalid client class specified in buffer limit configuration.")
	f("client-output-buffer-limit", "pubsub x 2 3", "Error in hard, soft or soft_seconds setting in buffer limit configuration.")
}

// A flag goes before the environment, the environment before the file, the
// file before the default.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hubsub.conf")
	conf := "# a comment\n\nport\t 7001\nloops 1\ntimeout 9\nrequirepass \"se cret\"\n" +
		"client-output-buffer-limit normal 1mb 0 0\nclient-output-buffer-limit pubsub 2mb 0 0\n"
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HUBSUB_PORT", "7002")
	t.Setenv("HUBSUB_LOOPS", "2")
	o, err := parse([]string{"--config", file, "--port", "7003"})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(o.Port, o.Loops, o.Timeout, o.RequirePass, o.KeepAlive, o.file == file)
	if want := "7003 2 9 se cret 300 true\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := o.OutputLimit.String(), "normal 1048576 0 0 slave 268435456 67108864 60 pubsub 2097152 0 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if _, err := parse(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", args, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "redis.conf")
	f("--port", "--port", "65536")
	f("integer", "--port", "x")
	f("unknown flag --prot", "--prot", "1")
	f("no such file", "--config", file)
	f("--log-format must be one of text, json, not xml", "--log-format", "xml")
	line := func(text, want string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("# a comment\n\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		f(fmt.Sprintf("%s, line 3: %s", file, want), "--config", file)
	}
	line("maxclients many", "maxclients: argument couldn't be parsed into an integer")
	line("timeout -1", "timeout: argument must be between 0 and 2147483647 inclusive")
	line("port", "port: wrong number of arguments")
	line(`requirepass "open`, "the line: unbalanced quotes")
	line("client-output-buffer-limit friend 1 2 3", "client-output-buffer-limit: Invalid client class specified in buffer limit configuration.")
}

// The file that Debian's redis-server comes with is one of ours: what HubSub has
// is read, what it has not is named, users are kept in their order.
func TestRedisConf(t *testing.T) {
	conf := `# Redis configuration file example.
bind 127.0.0.1 -::1
protected-mode yes
PORT 6380
unixsocket "/run/redis server.sock"
unixsocketperm 700
daemonize yes
save 3600 1
save 300 100
maxclients 0020
requirepass "p\x61ss \"word\""
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit replica 256mb 64mb 60
client-output-buffer-limit pubsub 1mb 8mb 30
user alice on ">pw word +@all" &chat:* +@pubsub
user bob off
`
	file := filepath.Join(t.TempDir(), "redis.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := parse([]string{"--config", file, "--user", "carol", "on", "nopass", "--user=dave off"})
	if err != nil {
		t.Fatal(err)
	}
	f := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	f("port", int(s.Port), 6380)
	f("bind", s.Bind.String(), "127.0.0.1 -::1")
	f("unixsocket", string(s.UnixSocket), "/run/redis server.sock")
	f("unixsocketperm", int(s.UnixPerm), 0o700)
	f("maxclients", int(s.MaxClients), 20)
	f("requirepass", string(s.RequirePass), `pass "word"`)
	f("limits", s.OutputLimit.String(), "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 8388608 30")
	f("unknown", s.unknown, []string{"daemonize", "save"})
	f("users", s.users, [][]string{{"alice", "on", ">pw word +@all", "&chat:*", "+@pubsub"}, {"bob", "off"}, {"carol", "on", "nopass"}, {"dave", "off"}})
}

func TestSetOptionsAllOrNone(t *testing.T) {
	o, err := parse([]string{"--port", "0", "--unixsocket", filepath.Join(t.TempDir(), "s")})
	if err != nil {
		t.Fatal(err)
	}
	c := &live{options: o.options, log: slog.New(slog.DiscardHandler), logLevel: new(slog.LevelVar),
		handler: command.New(command.Config{})}
	if c.engine, err = engine.New(engine.Config{Loops: 1, Listen: o.listen(), Settings: o.settings(),
		Handler: command.New(command.Config{Server: c}), Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err = c.engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.engine.Shutdown()

	before := c.engine.Settings()
	f := func(want string, pairs ...[2]string) {
		t.Helper()
		if err := c.SetOptions(pairs); err == nil || err.Error() != want {
			t.Errorf("%v: error %v, want %q", pairs, err, want)
		}
		if after := c.engine.Settings(); !reflect.DeepEqual(before, after) {
			t.Errorf("%v changed something: %+v", pairs, after)
		}
	}
	good := [2]string{"maxclients", "5"}
	failed := "CONFIG SET failed (possibly related to argument '%s') - %s"
	f("Unknown option or number of arguments for CONFIG SET - 'foo'", good, [2]string{"foo", "1"})
	f(fmt.Sprintf(failed, "port", "can't set immutable config"), good, [2]string{"port", "1"})
	f(fmt.Sprintf(failed, "save", "can't set immutable config"), good, [2]string{"save", ""})
	f(fmt.Sprintf(failed, "MaxClients", "duplicate parameter"), good, [2]string{"MaxClients", "6"})
	_, most, err := clientsMax(&o.options)
	if err != nil {
		t.Fatal(err)
	}
	f(fmt.Sprintf(failed, "maxclients", fmt.Sprintf("The operating system is not able to handle the specified number of clients, try with %d", most)),
		[2]string{"maxclients", fmt.Sprint(most + 1)})
	f(fmt.Sprintf(failed, "timeout", "argument couldn't be parsed into an integer"), good, [2]string{"timeout", "x"})

	if err := c.SetOptions([][2]string{good, {"CLIENT-OUTPUT-BUFFER-LIMIT", "pubsub 7 8 9"}, {"loglevel", "warning"}}); err != nil {
		t.Fatal(err)
	}
	after := c.engine.Settings()
	if after.MaxClients != 5 || after.OutputPubSub.HardBytes != 7 || c.logLevel.Level() != slog.LevelWarn {
		t.Errorf("%+v, log level %v", after, c.logLevel.Level())
	}
	if before.OutputPubSub.HardBytes != 32<<20 {
		t.Error("the old settings were written over")
	}
}

// The README lists every option as it is: run with -update to write the list.
func TestReadmeListsOptions(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| flag | default | live | meaning |\n|---|---|---|---|\n")
	kind := reflect.TypeFor[options]()
	for i, opt := range o.table() {
		live := ""
		if opt.changeable {
			live = "yes"
		}
		fmt.Fprintf(&table, "| `--%s` | %s | %s | %s |\n", opt.name, code(kind.Field(i).Tag.Get("default")), live, kind.Field(i).Tag.Get("help"))
	}
	const begin, end = "<!-- options -->\n", "<!-- end of options -->"
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(readme), begin)
	listed, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("README.md has no %q … %q", begin, end)
	}
	if *update {
		if err := os.WriteFile("README.md", []byte(head+begin+table.String()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if listed != table.String() {
		t.Errorf("README.md's table of options is not the code's: go test . -update\nwant:\n%s", &table)
	}
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
