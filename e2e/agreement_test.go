package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var agreeFor = flag.Duration("agree", 30*time.Second, "how long TestAgreement has faults")

const (
	agreeRooms   = 12
	agreeClients = 15
	// askLimit is how long a client waits: longer than the server tries.
	askLimit = 8 * time.Second
)

// epoch is a room's, as ROOM GET writes it: "generation-index".
type epoch struct{ generation, index uint64 }

func (e epoch) compare(f epoch) int {
	return cmp.Or(cmp.Compare(e.generation, f.generation), cmp.Compare(e.index, f.index))
}

// act is what a client asks: get makes a room if need be, look does not, drop closes it; maybe is that a get or a drop
// had its effect twice, which it may over a change of the cluster's leader.
type act struct {
	room string
	verb string
}

// fact is what it was told. What is not known may have happened, then or later, or not.
type fact struct {
	known bool
	found bool // a room, or one to close
	epoch epoch
}

// life is what the model knows of a room.
type life struct {
	exists bool
	epoch  epoch // the latest seen
}

// roomModel says which histories of one room can be. Repairs change a room's epoch without a client, so each look may
// see a later one, never an earlier one.
var roomModel = porcupine.NondeterministicModel{
	Init: func() []any { return []any{life{}} },
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		byRoom := map[string][]porcupine.Operation{}
		for _, op := range all {
			byRoom[op.Input.(act).room] = append(byRoom[op.Input.(act).room], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byRoom {
			parts = append(parts, part)
		}
		return parts
	},
	Step: func(state, input, output any) []any {
		is, in, out := state.(life), input.(act), output.(fact)
		later := out.epoch.compare(is.epoch) > 0 || is.exists && out.epoch == is.epoch
		switch {
		case in.verb == "get" && out.known:
			if later {
				return []any{life{true, out.epoch}}
			}
		case in.verb == "get":
			// Its epoch is not known: whoever sees the room next tells.
			return []any{is, life{true, is.epoch}}
		case in.verb == "look" && out.known && out.found:
			if is.exists && later {
				return []any{life{true, out.epoch}}
			}
		case in.verb == "look" && out.known:
			if !is.exists {
				return []any{is}
			}
		case in.verb == "drop" && out.known && !out.found:
			if !is.exists {
				return []any{is}
			}
		case in.verb == "drop" && out.known:
			return []any{life{false, is.epoch}}
		default:
			return []any{is, life{false, is.epoch}}
		}
		return nil
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v: %+v", input, output) },
}

// TestAgreement: clients on all nodes make and close the same few rooms while nodes are killed, hung and cut off, and
// return. Of each room the history is one that a single server could have had, and each epoch of it has one set of
// hosts, whoever was asked.
func TestAgreement(t *testing.T) {
	v := newVillage(t, 5)
	began := time.Now()
	stop := make(chan struct{})
	var mu sync.Mutex
	var history []porcupine.Operation
	answers := map[string][]string{} // by room and epoch: the hosts that were told
	work := crew{t: t}
	for id := range agreeClients {
		work.run(func() error {
			random := rand.New(rand.NewPCG(uint64(id), 7))
			for {
				select {
				case <-stop:
					return nil
				case <-time.After(time.Duration(random.IntN(30)) * time.Millisecond):
				}
				a := act{fmt.Sprintf("room%d", random.IntN(agreeRooms)), []string{"get", "get", "look", "drop"}[random.IntN(4)]}
				call := time.Since(began)
				f, hosts := v.nodes[random.IntN(len(v.nodes))].act(a)
				end := time.Since(began)
				if !f.known {
					end = math.MaxInt64
				}
				mu.Lock()
				if a.verb != "look" || f.known {
					history = append(history, porcupine.Operation{ClientId: id, Input: a, Call: int64(call), Output: f, Return: int64(end)})
				}
				if a.verb != "look" && f.known { // it may have had its effect twice, within its time
					history = append(history, porcupine.Operation{ClientId: id + agreeClients, Input: a, Call: int64(call), Output: fact{}, Return: int64(end)})
				}
				if f.found && len(hosts) > 0 {
					key := fmt.Sprintf("%s %v", a.room, f.epoch)
					told := strings.Join(hosts, " ")
					if !slices.Contains(answers[key], told) {
						answers[key] = append(answers[key], told)
					}
				}
				mu.Unlock()
			}
		})
	}
	v.trouble(*agreeFor)
	close(stop)
	work.wait()
	awaitMembers(t, v.nodes, len(v.nodes))

	known := 0
	for _, op := range history {
		if op.Output.(fact).known {
			known++
		}
	}
	t.Logf("%d operations, %d with an answer, %d placements", len(history), known, len(answers))
	if known < 500 || len(answers) < agreeRooms {
		t.Errorf("too little has happened to judge")
	}
	checkHosts(t, answers)
	model := roomModel.ToModel()
	if result, _ := porcupine.CheckOperationsVerbose(model, history, 2*time.Minute); result != porcupine.Ok {
		t.Errorf("the history is not one of a single server: %s", result)
		for _, room := range roomModel.Partition(history) {
			if porcupine.CheckOperationsTimeout(model, room, time.Minute) != porcupine.Ok {
				for _, op := range room {
					t.Logf("client %d, %v to %v: %v %+v", op.ClientId, time.Duration(op.Call), time.Duration(op.Return), op.Input, op.Output)
				}
				break
			}
		}
	}
}

// checkHosts: an answer leaves out hosts that are dead, so all answers of one epoch are the longest of them, in its
// order, less some.
func checkHosts(t *testing.T, answers map[string][]string) {
	for key, told := range answers {
		longest := slices.MaxFunc(told, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
		for _, one := range told {
			rest := strings.Fields(longest)
			for _, host := range strings.Fields(one) {
				at := slices.Index(rest, host)
				if at < 0 {
					t.Errorf("%s has two sets of hosts: %q", key, told)
					break
				}
				rest = rest[at+1:]
			}
		}
	}
}

// act asks a node.
func (n *node) act(a act) (f fact, hosts []string) {
	c, err := connect(n.addr())
	if err != nil {
		return fact{}, nil
	}
	defer c.close()
	c.timeout = askLimit
	verb := map[string]string{"get": "GET", "look": "INFO", "drop": "CLOSE"}[a.verb]
	r, err := c.do("ROOM", verb, a.room)
	switch {
	case err != nil || r.kind == '-':
		return fact{}, nil
	case r.kind == '_':
		return fact{known: true}, nil
	case a.verb == "drop":
		return fact{known: true, found: r.n == 1}, nil
	}
	text, hosts := placed(r)
	f = fact{known: true, found: true}
	if _, err := fmt.Sscanf(text, "%d-%d", &f.epoch.generation, &f.epoch.index); err != nil {
		return fact{}, nil
	}
	return f, hosts
}

// placed reads the epoch and the hosts out of the answer of ROOM GET or ROOM INFO.
func placed(r reply) (epoch string, hosts []string) {
	items := r.items
	if len(items) == 3 && items[2].kind == '*' { // GET
		for _, h := range items[2].items {
			hosts = append(hosts, h.text)
		}
		return items[1].text, hosts
	}
	for i := 0; i+1 < len(items); i += 2 {
		switch items[i].text {
		case "epoch":
			epoch = items[i+1].text
		case "hosts":
			for _, h := range items[i+1].items {
				hosts = append(hosts, h.text)
			}
		}
	}
	return epoch, hosts
}

// trouble does something to one node after the other, for so long.
func (v *village) trouble(d time.Duration) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for until := time.Now().Add(d); time.Now().Before(until); {
		victim := random.IntN(len(v.nodes))
		n := v.nodes[victim]
		switch random.IntN(4) {
		case 0:
			// What a killed voter knew is gone: the next may die when another has taken its place.
			awaitMembers(v.t, v.nodes, len(v.nodes))
			awaitVoters(v.t, v.nodes, 3)
			v.t.Logf("%s is killed", n.ip)
			n.kill()
			time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
			n.run(v.t)
		case 1:
			v.t.Logf("%s hangs", n.ip)
			n.cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(time.Duration(random.IntN(9000)) * time.Millisecond)
			n.cmd.Process.Signal(syscall.SIGCONT)
		case 2:
			v.t.Logf("%s is cut off", n.ip)
			for other := range v.nodes {
				if other != victim {
					v.cut(victim, other)
				}
			}
			time.Sleep(time.Duration(random.IntN(9000)) * time.Millisecond)
			for other := range v.nodes {
				if other != victim {
					v.heal(victim, other)
				}
			}
		case 3:
			other := (victim + 1 + random.IntN(len(v.nodes)-1)) % len(v.nodes)
			v.t.Logf("%s does not reach %s", n.ip, v.nodes[other].ip)
			v.cut(victim, other)
			time.Sleep(time.Duration(random.IntN(6000)) * time.Millisecond)
			v.heal(victim, other)
		}
		time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
	}
}

// TestRoomModel: the model takes histories that can be, and no others.
func TestRoomModel(t *testing.T) {
	t.Parallel()
	type op struct {
		verb       string
		from, to   int64 // to 0: no answer
		found      bool
		generation uint64
	}
	f := func(name string, want bool, ops ...op) {
		t.Helper()
		var history []porcupine.Operation
		for i, o := range ops {
			out := fact{known: o.to > 0, found: o.found, epoch: epoch{o.generation, 0}}
			if o.to == 0 {
				o.to, out = math.MaxInt64, fact{}
			}
			history = append(history, porcupine.Operation{ClientId: i, Input: act{"r", o.verb}, Call: o.from, Output: out, Return: o.to})
		}
		if got := porcupine.CheckOperations(roomModel.ToModel(), history); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	f("made, seen, closed, gone", true,
		op{"get", 1, 2, true, 5}, op{"look", 3, 4, true, 5}, op{"drop", 5, 6, true, 0}, op{"look", 7, 8, false, 0})
	f("repaired meanwhile", true, op{"get", 1, 2, true, 5}, op{"look", 3, 4, true, 7}, op{"get", 5, 6, true, 7})
	f("an answer was lost", true, op{"get", 1, 0, false, 0}, op{"look", 3, 4, true, 7})
	f("an answer was lost, and it had no effect", true, op{"get", 1, 0, false, 0}, op{"look", 3, 4, false, 0})
	f("an earlier epoch", false, op{"get", 1, 2, true, 5}, op{"get", 3, 4, true, 4})
	f("the epoch of before it was closed", false, op{"get", 1, 2, true, 5}, op{"drop", 3, 4, true, 0}, op{"get", 5, 6, true, 5})
	f("made and not there", false, op{"get", 1, 2, true, 5}, op{"look", 3, 4, false, 0})
	f("closed and there", false, op{"get", 1, 2, true, 5}, op{"drop", 3, 4, true, 0}, op{"look", 5, 6, true, 5})
	f("nothing to close", false, op{"get", 1, 2, true, 5}, op{"drop", 3, 4, false, 0})
}
