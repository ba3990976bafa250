package consensus

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// A council in a line: servers as letters, voters in capitals, the leader is A;
// members as "a", dead ones "a-", draining ones "a~", unreachable ones "a?".
func parseCouncil(servers, members string) *council {
	c := &council{self: "a", fit: func(Candidate) bool { return true }}
	for _, r := range servers {
		name := placement.Name(r | 0x20)
		c.servers = append(c.servers, Server{name, string(name) + ":1", r < 'a'})
	}
	var m *Candidate
	for i, r := range members {
		switch r {
		case '-':
			m.Alive = false
		case '~':
			m.Draining = true
		case '?':
			m.Reachable = false
		default:
			c.members = append(c.members, Candidate{
				Name: placement.Name(r), ID: string(r), Address: string(r) + ":1", Alive: true, Reachable: true,
				Since: time.Unix(int64(i), 0),
			})
			m = &c.members[len(c.members)-1]
		}
	}
	return c
}

func TestCouncil(t *testing.T) {
	f := func(servers, members, want string) {
		t.Helper()
		step := parseCouncil(servers, members).next()
		if got := fmt.Sprint(step.kind, " ", step.name); got != want {
			t.Errorf("%s of %s: %s, want %s", servers, members, got, want)
		}
	}
	f("A", "a", "rest ")
	f("A", "", "rest ") // the table does not know the leader yet
	f("A", "ab", "add b")
	f("A", "ab?", "rest ")
	f("A", "ab-", "rest ")
	f("Ab", "ab", "rest ")
	f("Ab", "ab-", "remove b")
	f("Ab", "a", "remove b")
	f("Ab", "abc", "add c")
	f("Abc", "abc", "promote b")
	f("ABc", "abc", "promote c")
	f("ABC", "abc", "rest ")
	f("ABC", "abcdef", "add d")
	f("ABCd", "abcdef", "rest ")
	f("ABCde", "abcdef", "remove e")
	f("Abc", "abc-", "remove c")

	// Two voters are nothing to rest at.
	f("AB", "ab", "demote b")
	f("AB", "abc-", "demote b")
	f("AB", "ab-c", "remove b")
	f("AB", "ab-", "remove b")

	// A dead voter: removed first, and only if there is somebody for it.
	f("ABC", "abc-", "rest ")
	f("ABCd", "abc-d", "remove c")
	f("ABd", "abc-d", "promote d")
	f("ABCd", "abc-d?", "rest ")
	f("ABCde", "ab-c-de", "rest ") // there is no majority to commit it
	f("ABC", "abc-d", "add d")
	f("ABC", "ab", "remove c") // forgotten, and two nodes are left

	// Who leaves is replaced first.
	f("ABCd", "abc~d", "promote d")
	f("ABCD", "abc~d", "demote c")
	f("ABcD", "abc~d", "remove c")
	f("ABC", "abc~", "demote c")
	f("ABc", "abc~", "demote b")
	f("Abc", "abc~", "remove c")
	f("Ab", "a~b", "promote b")
	f("AB", "a~b", "transfer b")
	f("ABC", "a~bc", "transfer b")
	f("ABC", "a~b?c", "transfer c")
}

func TestCouncilPrefersOtherZones(t *testing.T) {
	c := parseCouncil("Abcd", "abcd")
	for i, zone := range []string{"x", "x", "x", "y"} {
		c.members[i].Zone = zone
	}
	if step := c.next(); step.name != "d" {
		t.Errorf("%v of %s", step.kind, step.name)
	}
	c.members[3].Address = "elsewhere:1"
	if step := c.next(); step != (change{promote, "b", "b:1"}) {
		t.Errorf("%+v", step)
	}
	c = parseCouncil("ABCd", "abcd")
	c.members[3].Address = "elsewhere:1"
	if step := c.next(); step != (change{add, "d", "elsewhere:1"}) {
		t.Errorf("%+v", step)
	}
}

// From any state the changes lead to rest, each of them can be committed, and
// none takes from the cluster what the next one needs.
func TestCouncilAlways(t *testing.T) {
	for seed := range uint64(5000) {
		random := rand.New(rand.NewPCG(seed, 1))
		names := "abcdefgh"[:1+random.IntN(8)]
		var servers, members []byte
		servers = append(servers, 'A')
		for _, n := range []byte(names) {
			members = append(members, n)
			if n != 'a' {
				switch random.IntN(3) {
				case 0:
					servers = append(servers, n)
				case 1:
					servers = append(servers, n-0x20)
				}
				members = append(members, []string{"", "", "", "-", "?", "-~"}[random.IntN(6)]...)
			}
			if random.IntN(5) == 0 {
				members = append(members, '~')
			}
		}
		c := parseCouncil(string(servers), string(members))
		for i := range c.members {
			c.members[i].Zone = string("xyz"[random.IntN(3)])
			c.members[i].ID = string("abcdefgh"[random.IntN(8)])
		}
		unfit := placement.Name("abcdefgh"[random.IntN(8)])
		c.fit = func(m Candidate) bool { return m.Name != unfit }
		if err := settle(c); err != nil {
			t.Fatalf("seed %d, %s of %s: %v", seed, servers, members, err)
		}
	}
}

func settle(c *council) error {
	for n := 0; ; n++ {
		voters, standbys := c.split()
		live := func(voters []Server) (n int) {
			for _, v := range voters {
				if c.alive(v.Name) {
					n++
				}
			}
			return n
		}
		before := live(voters)
		step := c.next()
		at := slices.IndexFunc(c.servers, func(s Server) bool { return s.Name == step.name })
		switch {
		case n > changesMax:
			return fmt.Errorf("no rest")
		case step.kind == transfer:
			return nil
		case step.kind == rest:
			self, _ := c.member(c.self)
			switch able := before > len(voters)/2; {
			case len(voters) == 2:
				return fmt.Errorf("rests with two voters: %v", c.servers)
			case able && len(voters) > c.target() && !self.Draining:
				return fmt.Errorf("rests with %d voters: %v", len(voters), c.servers)
			case able && len(voters) == 1 && c.target() == votersMany && c.count(standbys) > 1:
				return fmt.Errorf("rests with one voter: %v", c.servers)
			case able && (len(standbys) > standbysOfFew || len(voters) >= votersMany && len(standbys) > standbysOfMany):
				return fmt.Errorf("rests with %d standbys: %v", len(standbys), c.servers)
			}
			return nil
		case step.kind != add && at < 0, step.kind == add && at < 0 && step.address == "":
			return fmt.Errorf("%v of nobody", step.kind)
		case (step.kind == demote || step.kind == remove) && step.name == c.self:
			return fmt.Errorf("%v of the leader", step.kind)
		case before < len(voters)/2+1 && len(voters) != 2:
			return fmt.Errorf("%v without a majority", step.kind)
		}
		switch step.kind {
		case add:
			if at >= 0 {
				return fmt.Errorf("added twice")
			}
			c.servers = append(c.servers, Server{step.name, step.address, false})
		case promote:
			c.servers[at].Voter = true
		case demote:
			c.servers[at].Voter = false
		case remove:
			if c.servers[at].Voter && c.alive(step.name) {
				return fmt.Errorf("a living voter is removed")
			}
			c.servers = slices.Delete(c.servers, at, at+1)
		}
		after, _ := c.split()
		if left := live(after); left < len(after)/2+1 && left < before {
			return fmt.Errorf("%v of %s leaves %d of %d voters alive", step.kind, step.name, left, len(after))
		}
	}
}
