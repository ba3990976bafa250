package acl

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// testCatalog is a small set of commands in three categories.
func testCatalog() *Catalog {
	const pubsub, admin, slow = 1, 2, 4
	return NewCatalog([]string{"pubsub", "admin", "slow", "read"}, []*Command{
		{Name: "publish", Categories: pubsub, Touches: Publishes},
		{Name: "subscribe", Categories: pubsub | slow, Touches: Subscribes},
		{Name: "psubscribe", Categories: pubsub | slow, Touches: SubscribesPattern},
		{Name: "unsubscribe", Categories: pubsub | slow},
		{Name: "ping"},
		{Name: "select"},
		{Name: "config", Categories: slow},
		{Name: "config|get", Categories: admin | slow},
		{Name: "config|set", Categories: admin | slow},
	})
}

// made returns the user that the rules make; each is a word.
func made(t testing.TB, rules string) *User {
	t.Helper()
	change, err := NewUsers(testCatalog()).Set("u", strings.Fields(rules))
	if err != nil {
		t.Fatal(err)
	}
	return change.After
}

// judged returns what the user may do with a command: "yes", "no", or the
// channel that is in the way.
func judged(u *User, c *Catalog, line string) string {
	var words [][]byte
	for _, word := range strings.Split(line, " ") {
		words = append(words, []byte(word))
	}
	cmd := c.byName[string(words[0])]
	if len(words) > 1 {
		if sub := c.byName[string(words[0])+"|"+string(words[1])]; sub != nil {
			cmd = sub
		}
	}
	switch verdict, at := u.Check(cmd, words); verdict {
	case Allowed:
		return "yes"
	case CommandDenied:
		return "no"
	default:
		return string(words[at])
	}
}

// sameUser returns in what two users differ, nil if in nothing.
func sameUser(a, b *User) error {
	if a.String() != b.String() {
		return fmt.Errorf("%q is not %q", a, b)
	}
	if a.all != b.all {
		return errors.New("one of them may do everything")
	}
	for i := range a.selectors {
		x, y := &a.selectors[i], &b.selectors[i]
		if x.commands != y.commands || fmt.Sprint(args(x)) != fmt.Sprint(args(y)) {
			return fmt.Errorf("selector %d of %q grants other commands", i, a)
		}
	}
	return nil
}

func args(s *selector) (list []string) {
	for _, f := range s.firstArgs {
		list = append(list, f.command.Name+"|"+f.arg)
	}
	return list
}
