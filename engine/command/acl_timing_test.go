package command

import (
	"testing"

	"hubsub/engine"
	"hubsub/resp"
)

// BenchmarkRefusal is what dispatch asks before it executes a PUBLISH, for users
// with all rights and with some.
func BenchmarkRefusal(b *testing.B) {
	h := New(Config{})
	publish := &resp.Command{Args: words("PUBLISH room:123456:chat hello")}
	cmd, _ := h.table.find(publish.Args)
	f := func(name string, rules ...string) {
		change, err := h.Users.Set(name, rules)
		if err != nil {
			b.Fatal(err)
		}
		s := new(engine.Session)
		s.User.Store(change.Account)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if fault := h.refusal(s, nil, cmd, publish); fault != "" {
					b.Fatal(fault)
				}
			}
		})
	}
	f("everything", "+@all", "&*")
	f("pattern", "+@all", "&room:*")
	f("selector", "+ping", "(+publish %P&a %P&b %P&room:123456:*)")
}
