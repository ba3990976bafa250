package placement

import (
	"testing"

	"hubsub/cluster/simtest"
)

// rules are those of this package, with what breaks each.
var rules = simtest.Rules{
	{"who is silent has not accepted", "create.go",
		"k.asked[i].answer = no", "k.asked[i].answer = yes"},
	{"all hosts agree before a room closes", "remove.go",
		"if k.take(from, yes) && k.is(silent) == 0 {", "if k.take(from, yes) {"},
	{"what differs is repaired", "report.go",
		"if len(differ) > 0 {", "if false {"},
	{"an answer belongs to one attempt", "remove.go",
		"if k == nil || k.attempt != m.Attempt || k.stage != voting {", "if k == nil || k.stage != voting {"},
	{"who looked it up leads still", "decider.go",
		"if leads {", "if true {"},
	{"a host that agreed to close a room hears of exactly that attempt", "host.go",
		"r != nil && r.closing && r.attempt == m.Attempt", "r != nil && r.closing"},
	{"what is dropped stays dropped", "host.go",
		"h.buried[m.Room].Compare(m.Epoch) > 0:", "false:"},
	{"a question has its effect once", "create.go",
		"again := s.done[w.ask.Tag]; again {", "again := s.done[w.ask.Tag]; again && false {"},
	{"a place is accepted for one attempt", "create.go",
		"if k == nil || k.attempt != m.Attempt || k.stage != reserving {", "if k == nil || k.stage != reserving {"},
	{"whom a room names is not forgotten", "table.go",
		"!t.members[at].state.Serves() && t.members[at].rooms == 0", "!t.members[at].state.Serves()"},
	{"the dead stay dead", "table.go",
		"newest.Boot >= m.Boot", "newest.Boot == m.Boot"},
	{"an older roster is refused", "standing.go",
		"if m.Epoch.Compare(h.roster.Epoch) <= 0 {", "if m.Epoch == h.roster.Epoch {"},
	{"a lost roster is sent again", "report.go",
		"if m.Roster.Compare(d.table.roster) < 0 {", "if false {"},
	{"a scan goes on where it was", "scan.go",
		"at >= cursor", "at > cursor"},
	{"a shard that a snapshot reads is copied before it changes", "table.go",
		"if t.frozen[shard] {", "if false {"},
	{"what is remembered of the dead goes with them", "roster.go",
		"return !known", "return !known && false"},
	{"parts say when they have something to do", "decider.go",
		"next = min(next, d.roll.announced+rosterInterval)", ""},
	{"what an earlier generation agreed on last is adopted", "report.go",
		"fresh && !d.adopt(from, name) {", "fresh {"},
	{"what this generation has deleted is not adopted", "report.go",
		"m.Rooms[name].Generation >= d.table.generation || fresh", "fresh"},
	{"what was listed before a room was deleted is not adopted", "report.go",
		"m.Attempt.Number > d.dropped[m.Shard]", "true"},
	{"a new generation gives all rooms new epochs", "op.go",
		"t.renew()", ""},
	{"a leader of an earlier generation is no leader", "epoch.go",
		"cmp.Compare(t.Generation, u.Generation), ", ""},
	{"a host is of one generation", "host.go",
		"t.Generation != h.term.Generation && from != h.self", "false"},
	{"who comes back believes nobody who calls it dead", "standing.go",
		"return h.resumed && h.standing == outside", "return false"},
	{"who comes back believes no late word that it is given up", "host.go",
		" && !h.returning() { // to whom", " { // to whom"},
	{"who comes back is a member again", "op.go",
		"(s != Up || !t.newestIs(m.Member))", "true"},
}

// rare are rules that few seeds find broken, with one that does.
var rare = map[string]int{}

// Each broken rule is found by some seed, or the simulator proves nothing.
func TestSimFindsBrokenRules(t *testing.T) { simtest.FindBroken(t, rules, rare, 2000) }
