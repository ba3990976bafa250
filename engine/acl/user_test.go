package acl

import (
	"fmt"
	"strings"
	"testing"
)

// TestCheck: what users may do. The answer is "yes", "no", or the channel that
// is not granted.
func TestCheck(t *testing.T) {
	catalog := testCatalog()
	f := func(rules, command, want string) {
		t.Helper()
		change, err := NewUsers(catalog).Set("u", strings.Fields(rules))
		if err != nil {
			t.Fatal(err)
		}
		if got := judged(change.After, catalog, command); got != want {
			t.Errorf("%s: %s: got %s, want %s", rules, command, got, want)
		}
	}
	f("", "ping", "no")
	f("+ping", "ping", "yes")
	f("+@all", "ping", "yes")
	f("+@all -ping", "ping", "no")
	f("+@all -@admin", "config get", "no")
	f("+config", "config get", "yes")
	f("+config|get", "config get", "yes")
	f("+config|get", "config set", "no")
	f("+config -config|set", "config set", "no")
	f("+@pubsub", "unsubscribe x", "yes")
	f("+select|1", "select 1", "yes")
	f("+select|one", "select ONE", "yes")
	f("+select|1", "select 2", "no")
	f("+select|1", "select", "no")
	f("+select|1 -select", "select 1", "no")
	f("+select|1 +@all", "select 2", "yes")
	f("+select|1 -@all", "select 1", "no")
	f("&* +subscribe|a -@slow", "subscribe a", "no")
	f("+get +@read", "ping", "no")

	f("+publish", "publish a 1", "a")
	f("+publish &a", "publish a 1", "yes")
	f("+publish &a", "publish b 1", "b")
	f("+publish &a &b*", "publish bc a", "yes")
	f("+publish allchannels", "publish a 1", "yes")
	f("+subscribe &a &b", "subscribe a b", "yes")
	f("+subscribe &a &b", "subscribe a c b", "c")
	f("+psubscribe &a*", "psubscribe a*", "yes")
	f("+psubscribe &a*", "psubscribe ab", "ab")
	f("+psubscribe &a*", "psubscribe a* b", "b")
	f("+psubscribe &*x", "psubscribe *", "*")
	f("+psubscribe allchannels", "psubscribe *", "yes")

	f("+@all %P&a", "publish a 1", "yes")
	f("+@all %P&a", "subscribe a", "a")
	f("+@all %P&a", "psubscribe a", "a")
	f("+@all %S&a*", "publish ab 1", "ab")
	f("+@all %S&a*", "subscribe ab", "yes")
	f("+@all %S&a*", "psubscribe a*", "yes")
	f("+@all %P&* %S&mine", "publish any 1", "yes")
	f("+@all %P&* %S&mine", "subscribe any", "any")
	f("+@all %P&*", "psubscribe *", "*")

	f("+ping (+publish &a)", "publish a 1", "yes")
	f("+ping (+publish &a)", "ping", "yes")
	f("+ping (+publish &a)", "publish b 1", "b")
	f("+subscribe &a (+subscribe &b)", "subscribe a b", "b") // one selector must grant all
	f("+subscribe &a &b (+subscribe &a)", "subscribe a b c", "c")
	f("+subscribe &a (+subscribe &a &b)", "subscribe a b c", "c")
	f("+ping &* (+publish)", "publish a 1", "a")
}

func TestHears(t *testing.T) {
	f := func(rules, name string, isPattern, want bool) {
		t.Helper()
		if got := made(t, rules).Hears([]byte(name), isPattern); got != want {
			t.Errorf("%s: %s: got %v, want %v", rules, name, got, want)
		}
	}
	f("&a", "a", false, true)
	f("&a", "b", false, false)
	f("&a*", "ab", false, true)
	f("&a*", "ab", true, false)
	f("&a*", "a*", true, true)
	f("%P&a", "a", false, false)
	f("%S&a", "a", false, true)
	f("(&a)", "a", false, true)
	f("allchannels", "*", true, true)
	f("", "a", false, false)
}

func TestHearsAll(t *testing.T) {
	f := func(rules string, want bool) {
		t.Helper()
		if got := made(t, rules).hearsAll(); got != want {
			t.Errorf("%s: got %v, want %v", rules, got, want)
		}
	}
	f("", false)
	f("&a", false)
	f("%S&*", false) // PSUBSCRIBE a* is not "*"
	f("&*", true)
	f("allchannels", true)
	f("&a (allchannels)", true)
}

func TestAuthenticate(t *testing.T) {
	users := NewUsers(testCatalog())
	set := func(name, rules string) {
		t.Helper()
		if _, err := users.Set(name, strings.Fields(rules)); err != nil {
			t.Fatal(err)
		}
	}
	f := func(name, password string, want bool) {
		t.Helper()
		if got := users.Authenticate([]byte(name), []byte(password)) != nil; got != want {
			t.Errorf("%s %s: got %v, want %v", name, password, got, want)
		}
	}
	f("default", "", true)
	f("default", "any", true)
	f("nobody", "any", false)
	set("u", "on >one >two")
	f("u", "one", true)
	f("u", "two", true)
	f("u", "three", false)
	f("u", "", false)
	set("u", "off")
	f("u", "one", false)
	set("u", "on nopass")
	f("u", "three", true)
	set("u", "resetpass")
	f("u", "", false)
	users.SetDefaultPassword("secret")
	f("default", "secret", true)
	f("default", "any", false)
	users.SetDefaultPassword("")
	f("default", "any", true)
	set("default", ">new")
	f("default", "secret", false)
	set("default", "off")
	f("default", "any", false)
}

func TestFlags(t *testing.T) {
	f := func(rules string, open, needsPassword bool, want string) {
		t.Helper()
		u := made(t, rules)
		if u.Open() != open || u.NeedsPassword() != needsPassword || fmt.Sprint(u.Flags()) != want {
			t.Errorf("%s: got %v %v %v", rules, u.Open(), u.NeedsPassword(), u.Flags())
		}
	}
	f("", false, true, "[off]")
	f("on", false, true, "[on]")
	f("nopass", false, false, "[off nopass]")
	f("on nopass", true, false, "[on nopass]")
	f("on nopass >x", false, true, "[on]")
}
