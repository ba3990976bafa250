package acl

import (
	"fmt"
	"strings"
	"testing"
)

func lines(users *Users) string {
	var list []string
	for _, u := range users.List() {
		list = append(list, u.String())
	}
	return strings.Join(list, "\n")
}

func TestUsers(t *testing.T) {
	users := NewUsers(testCatalog())
	f := func(want ...string) {
		t.Helper()
		if got := lines(users); got != strings.Join(want, "\n") {
			t.Fatalf("got\n%s", got)
		}
	}
	const initial = "user default on nopass ~* &* +@all"
	f(initial)
	first, err := users.Set("b", []string{"on"})
	if err != nil || first.Before != nil {
		t.Fatal(first, err)
	}
	f("user b on resetchannels -@all", initial)
	if _, err := users.Set("a", nil); err != nil {
		t.Fatal(err)
	}
	f("user a off resetchannels -@all", "user b on resetchannels -@all", initial)
	second, err := users.Set("b", []string{"&x", "+ping"})
	if err != nil || second.Account != first.Account || second.Before != first.After {
		t.Fatal("not the same user", err)
	}
	f("user a off resetchannels -@all", "user b on resetchannels &x -@all +ping", initial)
	if got := first.After.String(); got != "user b on resetchannels -@all" {
		t.Errorf("the User has changed: %s", got)
	}
	if users.Delete("b") != first.Account || first.Account.User() != nil || users.Delete("b") != nil {
		t.Error("the user is not deleted")
	}
	again, err := users.Set("b", []string{"on"})
	if err != nil || again.Account == first.Account || again.Before != nil {
		t.Error("the account of a deleted user lives on")
	}
	for _, name := range []string{"", "a b", "a\x00", "a\n"} {
		if _, err := users.Set(name, nil); err == nil || err.Error() != "Usernames can't contain spaces or null characters" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUserNeverChanges: what rules make of a user is another one, and shares
// nothing with it that they change.
func TestUserNeverChanges(t *testing.T) {
	rules := strings.Fields(">a >b >c %P&a &b &c %R~a ~b ~c +publish +select|0 +select|1 +ping (+publish %P&a)")
	f := func(rule string) {
		t.Helper()
		users := NewUsers(testCatalog())
		shown := func(u *User) string { return u.String() + " grants " + strings.Join(args(&u.selectors[0]), " ") }
		was, err := users.Set("u", rules)
		if err != nil {
			t.Fatal(err)
		}
		before := shown(was.After)
		is, err := users.Set("u", []string{rule})
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(was.After); got != before {
			t.Errorf("%s\nwas %s\nis  %s", rule, before, got)
		}
		if is.Before != was.After || shown(is.After) == before {
			t.Errorf("%s changes nothing", rule)
		}
	}
	f("<a")
	f("%S&a")
	f("%W~a")
	f("-publish")
	f("-select")
	f("clearselectors")
	f("(+ping)")
}

func TestAllChannels(t *testing.T) {
	users := NewUsers(testCatalog())
	users.SetAllChannels(true)
	f := func(name, rules, want string) {
		t.Helper()
		change, err := users.Set(name, strings.Fields(rules))
		if err != nil || change.After.String() != want {
			t.Errorf("%s: %v, %v", rules, change.After, err)
		}
	}
	f("a", "", "user a off &* -@all")
	f("b", "resetchannels (+ping)", "user b off resetchannels -@all (&* -@all +ping)")
	f("b", "reset", "user b off sanitize-payload &* -@all")
}

func TestLoad(t *testing.T) {
	f := func(file, want string) {
		t.Helper()
		users := NewUsers(testCatalog())
		loadLines(t, users, file)
		if got := lines(users); got != want {
			t.Errorf("%s\ngot\n%s", file, got)
		}
	}
	const initial = "user default on nopass ~* &* +@all"
	f("a on nopass &x +publish", "user a on nopass resetchannels &x -@all +publish\n"+initial)
	f("a", "user a off resetchannels -@all\n"+initial)
	f("  b\ton   ( +ping\t&x )\na off", "user a off resetchannels -@all\nuser b on resetchannels -@all (resetchannels &x -@all +ping)\n"+initial)
	f("default on nopass +ping", "user default on nopass sanitize-payload resetchannels -@all +ping")
}

// split returns the words of the lines of a file.
func split(file string) (lines [][]string) {
	for line := range strings.SplitSeq(file, "\n") {
		lines = append(lines, Words(line))
	}
	return lines
}

// TestLoadWords: a word of a file may hold blanks, as far as its rule may.
func TestLoadWords(t *testing.T) {
	users := NewUsers(testCatalog())
	f := func(want string, words ...string) {
		t.Helper()
		parsed, err := users.Parse([][]string{words})
		got := fmt.Sprint(err)
		if err == nil {
			got = parsed[0].String()
		}
		if got != want {
			t.Errorf("%q\ngot  %s\nwant %s", words, got, want)
		}
	}
	f("user u off #"+hashed([]byte("x +@all"))+" resetchannels -@all", "u", ">x +@all")
	f("user u off resetchannels -@all (resetchannels &a -@all +ping)", "u", "(+ping &a)")
	f("user u: Error in user declaration '&a b': Syntax error", "u", "&a b")
	f(`user "u v": Usernames can't contain spaces or null characters`, "u v", "on")
}

func loadLines(t *testing.T, users *Users, file string) []Change {
	t.Helper()
	parsed, err := users.Parse(split(file))
	if err != nil {
		t.Fatal(err)
	}
	return users.Load(parsed)
}

// What a file makes of the users when it is read again: it changes whom it
// names, and deletes whom it named before and does not any more.
func TestLoadAgain(t *testing.T) {
	users := NewUsers(testCatalog())
	f := func(file, wantChanges, wantUsers string) {
		t.Helper()
		var changes []string
		for _, c := range loadLines(t, users, file) {
			sign := "*"
			switch {
			case c.Before == nil:
				sign = "+"
			case c.After == nil:
				sign = "-"
			}
			changes = append(changes, sign+c.Account.Name())
		}
		if got := strings.Join(changes, " "); got != wantChanges {
			t.Errorf("%s: changed %q, want %q", file, got, wantChanges)
		}
		var names []string
		for _, u := range users.List() {
			names = append(names, u.Name())
		}
		if got := strings.Join(names, " "); got != wantUsers {
			t.Errorf("%s: users %q, want %q", file, got, wantUsers)
		}
	}
	f("a on\nb on", "+a +b", "a b default")
	held := users.Find("b")
	f("a on\nb on", "", "a b default")
	if _, err := users.Set("own", []string{"on"}); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Set("a", []string{"off"}); err != nil {
		t.Fatal(err)
	}
	f("c on\na on\ndefault on >pw", "-b *a +c *default", "a c default own")
	if held.User() != nil {
		t.Error("who was b still is")
	}
	f("a on", "-c *default", "a default own") // requirepass counts again
}

func TestBadLoad(t *testing.T) {
	f := func(file, want string) {
		t.Helper()
		users := NewUsers(testCatalog())
		if _, err := users.Parse(split(file)); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", file, err, want)
		}
		if len(users.List()) != 1 {
			t.Errorf("%s: there are users", file)
		}
	}
	f("a on\nb +nope on", "user b: Error in user declaration '+nope': Unknown command or category name in ACL")
	f("a on\na off", "user a: Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files")
	f("a on\nb (+ping", "user b: Unmatched parenthesis in acl selector starting at '(+ping'.")
	f("", "user: a name and rules are missing")
	f("a on\n \t", "user: a name and rules are missing")
}
