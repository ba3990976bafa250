package main

import (
	"log/slog"
	"path/filepath"
	"testing"

	"hubsub/engine"
	"hubsub/engine/command"
)

// TestDefaultUser: protected mode protects while the default user needs no
// password, and the limits of those who have not authenticated hold while it
// needs one, whoever says so last.
func TestDefaultUser(t *testing.T) {
	o, err := parse([]string{"--port", "0", "--unixsocket", filepath.Join(t.TempDir(), "s")})
	if err != nil {
		t.Fatal(err)
	}
	c := &live{options: o.options, log: slog.New(slog.DiscardHandler), logLevel: new(slog.LevelVar)}
	c.handler = command.New(command.Config{Server: c})
	c.engine, err = engine.New(engine.Config{Loops: 1, Listen: o.listen(), Settings: o.settings(), Handler: c.handler, Log: c.log})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.engine.Shutdown()
	c.UsersChanged()
	f := func(protected, open bool) {
		t.Helper()
		if s := c.engine.Settings(); s.ProtectedMode != protected || s.Open != open {
			t.Errorf("protected: %v, want %v; open: %v, want %v", s.ProtectedMode, protected, s.Open, open)
		}
	}
	user := func(rule string) {
		t.Helper()
		if _, err := c.handler.Users.Set("default", []string{rule}); err != nil {
			t.Fatal(err)
		}
		c.UsersChanged()
	}
	config := func(name, value string) {
		t.Helper()
		if err := c.SetOptions([][2]string{{name, value}}); err != nil {
			t.Fatal(err)
		}
	}
	f(true, true)
	user(">pw")
	f(false, false)
	config("timeout", "5")
	f(false, false)
	user("nopass")
	f(true, true)
	config("requirepass", "pw")
	f(false, false)
	user("nopass")
	f(true, true)
	config("requirepass", "pw") // no change
	f(true, true)
	config("requirepass", "")
	f(true, true)
	user("off")
	f(true, false)
	user("on")
	config("protected-mode", "no")
	f(false, true)
	user(">pw")
	f(false, false)
}
