// Package lane is the protocol by which the nodes of a cluster carry the messages
// of rooms: one order of each room for all who hear it, on whatever node they are.
//
// A [Lane] has the rooms of one event loop. It is told what clients want, what
// other nodes send and where rooms live, and says what to send, to deliver and to
// answer. It has no clock, no socket, no goroutine and no lock.
//
// # Who leads
//
// The cluster agrees on the hosts of each room, in an order, under an epoch
// (package placement). The first of them that is not dead leads: it gives the
// messages their order. Its [Key] is the epoch, its place among the hosts, and when
// its process began; so each key has one possible owner, and of two keys the higher
// one is right, everywhere. A node follows the highest key whose owner it has heard;
// a lower one it contradicts (Higher).
//
//	a room is new       the first host asks the others whether they know of a leader
//	the leader dies     the next host leads at once, under the next rank (takeover)
//	it is hung, cut off the cluster agrees that it is dead, then the same
//	hosts change        a new epoch: who leads goes on, or hands over
//
// A host that finds that it shall lead, and knows of a leader that neither ended nor
// is dead, waits a second for it. An order that a host goes on with although others
// have taken it for dead ends when it hears of a higher key.
//
// # The life of a message
//
//	publisher's node              leader                       nodes that hear it
//	Publish{serial, attempt} ──▶  counts who hears it
//	                         ◀──  Ordered{serial, count}
//	                              number +1, index +1 for each ──▶ Message{key, number, index}
//
// The answer comes before the message, unless package cluster holds it because a node
// does not keep up; a refusal never overtakes it. Who is no leader answers
// Refuse: that one has no place in the order, nor has any that was sent before the
// refusal was heard, for the leader refuses all attempts up to it. So they are sent
// again under the next attempt, in their order, one at a time until somebody takes
// it. What a leader may have got whose link broke or who died is answered TryAgain,
// and never sent again: no message comes twice. (publish.go, order.go)
//
// A node that has not told the leader all that its clients hear is sent everything.
// Of a message that no client there is counted for it is told so (Uncounted): that is
// for those who were confirmed by another leader. Who waits for a confirmation yet has
// come since, perhaps after the publisher was answered that nobody hears it.
//
// While a room's leader is alone in hearing it, the engine publishes without the
// lane: [Sink] Own. It ends before the interest is acknowledged that ends it.
//
// # The life of an interest
//
// What a node's clients hear is a bulletin for the room's hosts (bulletin.go): who
// is new, or whose link has broken, is told all; else what has changed; and again
// until it has said that it knows. A client is answered when the leader has said so,
// and the other hosts have, too, or had 100 ms: so a successor knows whom to send
// what. A host that may be about to close the room says nothing before that is
// decided. Under a new key all is told again; who has not yet gets everything of the
// room.
//
// A pattern that is bound to no room concerns all of them. It is a bulletin for all
// nodes ([Patterns]), and each leader sends one copy to each node with a match.
//
// # Handover
//
//	old leader              new leader                nodes that hear it
//	End{key, index}    ──────────────────────────▶    have all of it, or see the gap
//	Handover{key}      ──▶  Lead{key', planned}  ──▶  begin with key' when key has ended
//
// It hands over to one host, as one key, and stops. A node that hears the next leader
// first keeps what that sends until the End comes, which is on another link. So
// nothing is lost, and no gap is told.
//
// # Gaps
//
// Each leader counts for each node what was meant for it (Index), whether or not it
// could be sent. A node that has got fewer tells its clients how many are missing:
// at the next message, or when the leader says how far it is (Position, Ack, End).
// What was lost with a leader that died nobody knows: a gap of unknown size. It is
// told when nothing more can be missing, that is, when the new leader knows what is
// heard here. If a leader has forgotten a node for a while, because it took it for
// dead, the life of what it knows of it (Life) is another one, and that is a gap.
//
// What a node may miss without a gap:
//
//   - A room that it hears by a pattern of all rooms only, and of which it has not
//     heard yet: if its first message is lost with a leader, nobody tells; nor if
//     it comes after the first word of the leader to whom that one hands over.
//   - The other side's order. While nodes are cut off, or one is taken for dead that
//     is not, a room may have two leaders, each with an order for those who follow
//     it. When the higher key comes to the others they are told of a gap; those who
//     had it all the time are not.
//
// # What is told of processes
//
// A process is dead for a lane when somebody knows for certain (Dead), and is not
// heard any more then, until it is Alive again; so its link's session has to end with
// it. Broken says that anything that was under way to and from a process may be lost;
// what comes later comes in order. Restart says that the cluster has given this
// process up and knows it by another name: all but what its clients hear is
// forgotten.
//
// # Limits
//
// limits.go has them. What waits for leaders is bounded in number and bytes, per
// lane; so is what is kept of a new leader's messages until the old one has ended.
// Nothing waits for longer than five seconds. A room of which nobody has heard for a
// while is forgotten.
//
// # Threads
//
// None: a Lane belongs to its loop, and calls its Sink, Network and Director from
// inside its methods. Match and Elsewhere of Patterns may be called by many at once.
//
// The simulator (sim_test.go) runs whole lives of clusters with faults that no
// machine has often enough; rules_test.go breaks the rules above, one at a time,
// and the simulator must find each.
//
// # Imports
//
// The standard library, package placement for its epochs, package ring for a meter.
package lane
