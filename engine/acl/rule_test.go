package acl

import (
	"strings"
	"testing"
)

// TestRules: what a new user's line is after these rules, without its beginning
// "user u ".
func TestRules(t *testing.T) {
	f := func(rules, want string) {
		t.Helper()
		if got := strings.TrimPrefix(made(t, rules).String(), "user u "); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", rules, got, want)
		}
	}
	const secret = "#2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
	f("", "off resetchannels -@all")
	f("on", "on resetchannels -@all")
	f("ON Off", "off resetchannels -@all")
	f("nopass on", "on nopass resetchannels -@all")
	f(">secret", "off "+secret+" resetchannels -@all")
	f(">secret >secret", "off "+secret+" resetchannels -@all")
	f("nopass >secret", "off "+secret+" resetchannels -@all")
	f(">secret nopass", "off nopass resetchannels -@all")
	f(">secret resetpass", "off resetchannels -@all")
	f(">secret <secret", "off resetchannels -@all")
	f(secret+" !"+secret[1:], "off resetchannels -@all")
	f("sanitize-payload", "off sanitize-payload resetchannels -@all")
	f("sanitize-payload skip-sanitize-payload", "off skip-sanitize-payload resetchannels -@all")

	f("&a &b* &a", "off resetchannels &a &b* -@all")
	f("&a allchannels", "off &* -@all")
	f("&a &*", "off &* -@all")
	f("allchannels resetchannels", "off resetchannels -@all")
	f("~a %R~b %W~c %RW~d %wr~e", "off ~a %R~b %W~c ~d ~e resetchannels -@all")
	f("%R~a %W~a", "off ~a resetchannels -@all")
	f("~a allkeys", "off ~* resetchannels -@all")
	f("~* resetkeys ~a", "off ~a resetchannels -@all")

	f("%P&a %S&b %PS&c %sp&d", "off resetchannels %P&a %S&b &c &d -@all")
	f("%P&a %S&a", "off resetchannels &a -@all")
	f("&a %S&a", "off resetchannels &a -@all")
	f("%P&*", "off resetchannels %P&* -@all")
	f("&a %P&* %S&*", "off &* -@all")

	f("+publish", "off resetchannels -@all +publish")
	f("+PUBLISH +subscribe -publish", "off resetchannels -@all +subscribe -publish")
	f("+@PubSub -publish", "off resetchannels -@all +@pubsub -publish")
	f("+publish +@all", "off resetchannels +@all")
	f("allcommands -config", "off resetchannels +@all -config")
	f("+config|get +config|set -config", "off resetchannels -@all -config")
	f("+config -config|get +config", "off resetchannels -@all +config")
	f("+select|0 +Select|ONE +select|0", "off resetchannels -@all +select|one +select|0")
	f("+select|0 +select", "off resetchannels -@all +select")
	f("+get +object|encoding -@read", "off resetchannels -@all +get +object|encoding -@read")
	f("+@all nocommands", "off resetchannels -@all")

	f("(+publish &a)", "off resetchannels -@all (resetchannels &a -@all +publish)")
	f("( +publish &a ) ()", "off resetchannels -@all (resetchannels &a -@all +publish) (resetchannels -@all)")
	f("(allchannels +@all) clearselectors", "off resetchannels -@all")
	f("on >x ~a &a +@all (&b) skip-sanitize-payload reset", "off sanitize-payload resetchannels -@all")
}

// TestBadRules: what is said of a rule that cannot be, and of the words before
// and after it nothing is done.
func TestBadRules(t *testing.T) {
	f := func(rules, want string) {
		t.Helper()
		users := NewUsers(testCatalog())
		words := append([]string{"on"}, strings.Split(rules, ",")...)
		_, err := users.Set("u", append(words, "nopass"))
		if err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", rules, err, want)
		}
		if users.Find("u") != nil {
			t.Errorf("%s: there is a user", rules)
		}
	}
	bad := func(rule, why string) {
		t.Helper()
		f(rule, "Error in ACL SETUSER modifier '"+rule+"': "+why)
	}
	const syntax, unknown = "Syntax error", "Unknown command or category name in ACL"
	const hash = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
	bad("foo", syntax)
	bad("+", unknown)
	bad("-", unknown)
	bad("+@", unknown)
	bad("+@nope", unknown)
	bad("+nope", unknown)
	bad("+config|nope", unknown)
	bad("-select|0", unknown)
	bad("+config|", syntax)
	bad("+select|a b", syntax)
	bad("+config|get|x", "Allowing first-arg of a subcommand is not supported")
	bad("%&x", syntax)
	bad("%R", syntax)
	bad("%R&x", syntax)
	bad("%P~x", syntax)
	bad("%PP&x", syntax)
	bad("%PX&x", syntax)
	bad("&a b", syntax)
	f("&a\x00b", "Error in ACL SETUSER modifier '&a': "+syntax)
	bad("~a\n", syntax)
	bad("#12", hash)
	bad("#"+strings.Repeat("A", 64), hash)
	bad("!nope", hash)
	bad("<nope", "The password you are trying to remove from the user does not exist")
	bad("(on)", syntax)
	bad("(+publish &a) +ping)", syntax)
	bad(")", syntax)
	f("(+publish,&a", "Unmatched parenthesis in acl selector starting at '(+publish'.")
	f("allkeys,~x", "Error in ACL SETUSER modifier '~x': Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns")
	f("allchannels,%P&x", "Error in ACL SETUSER modifier '%P&x': Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels")
}

// FuzzRules: whatever rules make a user, the line that shows it makes the same.
func FuzzRules(f *testing.F) {
	for _, rules := range []string{
		"on|>pw|&a|+@all", "(+publish &a)|(~k +get)|reset", "+select|0|+config|get|-config",
		"%P&a|%S&a|%R~*|%W~*", "allchannels|resetchannels|&", "+@pubsub|-publish|+@all|-@slow", "(&a) +x)", "#" + hashed(nil),
	} {
		f.Add(rules)
	}
	catalog := testCatalog()
	f.Fuzz(func(t *testing.T, rules string) {
		for _, all := range []bool{false, true} {
			users := NewUsers(catalog)
			users.SetAllChannels(all)
			change, err := users.Set("u", strings.Split(rules, "|"))
			if err != nil {
				continue
			}
			again := NewUsers(catalog)
			again.SetAllChannels(!all)
			parsed, err := again.Parse(split(strings.TrimPrefix(change.After.String(), "user ")))
			if err != nil {
				t.Fatalf("%q: %v", change.After, err)
			}
			again.Load(parsed)
			if err := sameUser(change.After, again.User("u")); err != nil {
				t.Fatal(err)
			}
		}
	})
}
