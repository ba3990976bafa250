// Package engine is the data plane: it accepts connections, runs the event
// loops, keeps who is subscribed to what, and brings each message to all who
// hear it. What commands mean is package command's business; the engine gives
// it sessions that can subscribe, publish and answer.
//
// # Threads
//
// Each loop is one goroutine with one epoll, meant for one core. A session
// belongs to one loop from accept to close, and so do the tables of who is
// subscribed on this loop (audience.go): no lock, no atomic. Loops share three
// things: the directory (directory.go: which channels exist, how many
// subscribers they have over all loops), the patterns (pattern.go), and the
// room logs of package ring. With lanes they also send each other questions and
// answers (relay.go). Fields stand in groups by owner.
//
// # A tick
//
//	drain    the lane: what comes from other nodes         relay.go
//	poll     what is readable; again while more comes      poll.go
//	execute  per readable connection: read, parse, run;    execute.go
//	         answers and published messages pile up
//	publish  append runs to room logs, or deliver at once  publish.go
//	drain    read logs with news                           deliver.go
//	flush    the lane: what goes to other nodes; and       relay.go
//	         what other loops are asked
//	walk     one send per subscriber, many in one call     deliver.go, send.go
//	answer   one send per session, likewise                output.go, send.go
//	sweep    close what is doomed                          output.go
//	sleep    until there is more to do                     poll.go
//
// # The life of a message
//
// PUBLISH looks up the channel, reads the count of subscribers and puts the
// message behind what this loop has for the channel's room: one copy, with the
// verb replaced (run.go). Its cost does not depend on the audience. PUBLISHes
// that follow each other in a pipeline and differ in the message only are looked
// up once. At the end of the tick the loop appends the run to the room's log,
// which is the order that every subscriber sees, and wakes the loops that read
// it; then answers leave. Each loop reads the log, and hands the run to its
// audiences: sessions with one subscription get the shared bytes, one send each,
// sessions with many collect small messages in their own buffer and get one send
// per tick. A crowded audience that was walked a moment ago is held
// (Settings.CoalesceMax). If only the publishing loop reads the log, it need not
// go through it: it takes its own run as read.
//
// The bytes of such a run are a buffer of the loop, taken back at the end of the
// tick (buffers.go). What a socket does not take stays with the session as
// references to one shared copy (keep, backlog) until the socket takes more or a
// limit ends the session. A slow subscriber costs the others nothing.
//
// # Lanes
//
// In a cluster a room has one order over all nodes, and the engine does not
// know what a node is. Each loop has a lane (lane.go: Lane is what the engine
// asks, Sink what it is told) for the rooms whose names LaneOf gives to the
// loop. Without a cluster there is none, and a PUBLISH costs one branch more.
//
//	PUBLISH ─┬─ the room is owned ─▶ as above
//	         └─ else ─▶ the lane of its loop ─▶ Deliver: this loop's run
//	                    │ perhaps via its loop   Answer: the client's slot
//
// A room is owned while this node leads it and nobody elsewhere hears it: then
// all loops publish by themselves. The mark is in the channel, where a publish
// looks anyway, and in the directory for channels to come. All else goes by the
// room's lane, which orders messages, here or on another node, and hands back
// those that are for clients here. They go into the lane's loop's run like a
// client's own, and patterns are matched here.
//
// An answer may come later. That of a PUBLISH then has a slot (pending.go): the
// client's pipeline goes on with further PUBLISHes, any other command waits for
// the answers before it. While one is missing, all that the client publishes
// goes by lanes, though a room may be owned by now: a later message must not
// overtake. The publishes of an EXEC go one way, together (batch.go).
//
// A subscription is announced to the lanes before the session joins, and
// withdrawn before it leaves; what ends a session withdraws without waiting
// (interest.go). So the counts a lane is given add up to the sessions there are.
// What comes between the announcement and the confirmation, which waits for all
// names of the command, is put aside for the session (newcomer.go, aside.go).
//
// Channels that begin with __hubsub__: have no lane. Of a gap (gap.go), messages
// that clients here may have missed, only those are told who subscribe to
// __hubsub__:gap:ROOM.
//
// # What a client can cost
//
// A subscriber that does not read is closed by its output limit. A client that
// does not read its answers is not read either (pause.go), nor is one whose
// command is answered by somebody else, later (suspend.go). All that clients
// take is counted, and those who take most are closed when all together take
// too much (memory.go). A client that has shut down its sending side is still
// sent the rest (linger.go), as is everybody when the engine ends (shutdown.go).
// What is dropped has a reason and a counter (stats.go).
//
// # Exactness
//
// A change of who or what a session is (subscribe, unsubscribe, another
// protocol, QUIT) first catches up: publish, drain, walk what it touches. So a
// message that was answered before a SUBSCRIBE was sent is not delivered to it,
// and one that was answered before an UNSUBSCRIBE was sent is delivered before
// its confirmation, on whatever loop it was published. From the first SUBSCRIBE
// of an EXEC on, all that the client hears is put aside until the EXEC is
// answered (aside.go), for in RESP2 a message before it would pass for the answer.
//
// With lanes the same holds on whatever node, as the lanes have it: a SUBSCRIBE
// is confirmed, and the session joins, once the lane says that all know; an
// UNSUBSCRIBE once the lane says that all that was ordered before is here. Whom a
// PUBLISH has counted it reaches, though it joins later; but a message that was on
// its way to others on this node when SUBSCRIBE was sent may reach it, too. An
// answer of a lane leaves its loop after what that loop has appended to the
// logs, and is written before what a client published itself comes back to it
// (relay.readLog). A room stops being owned before others hear it.
//
// # What paid
//
// CPU per delivered message after and before, medians of 3 to 21 alternating
// pairs on a noisy machine of two cores; the commits say more.
//
//	0.78  1 → 1, 128 in flight: a tick leaves no garbage    buffers.go
//	0.83  the same: alike PUBLISHes are looked up once      publish.go
//	0.81  a room of 1,000: many sends are one system call   send.go, uring.go
//	0.77  100 rooms of 10: the same
//	0.84  20 gateways in 5,000 rooms: the same
//	0.92  100 rooms of 10: an epoll of our own, that a      poll.go
//	      tick looks at again while more comes
//	0.98  a room of 1,000: a walk does not touch sessions   fdset.go
//	0.92  gateways, 64 in flight each: an audience is       loop.go
//	      found in its channel
//	0.95  the same: 16 shards of the directory per loop     directory.go
//	      instead of 256, which the CPU's cache holds;
//	      no defer where each publish comes by
//
// What did not: profile-guided optimization and GOAMD64=v3 (within noise, for
// nearly 90 % of the time is the kernel's); io_uring's registered files and
// rings, DEFER_TASKRUN and CQE_SKIP (no difference); yielding the processor to a
// loop that was just woken, so that it adds to the batch (gateways on two loops
// got batches 1.5 times as large at 0.96 of the CPU, 1 → 1 cost 1.04); looking
// longer for more to read before the gateways are sent to (batches of 1.1, 1.06 of
// the CPU); a cache of channels per loop in front of the directory (gateways 1.06
// and 0.97: what is slow is memory, not the lock).
//
// # Why no library polls
//
// The design gave the loops to gnet. Of it, one part after the other turned out
// dearer than what it replaced: its listeners stop at the first error, its
// output copies per subscriber, its sleep wakes a thread for nothing, its
// connections take 500 bytes each. What was left was epoll_wait behind a task
// queue, which cost a tick two system calls more than epoll itself, and hid what
// was readable. Without: 0.91 of the CPU for 1 → 1 with 128 in flight, 0.92 for
// 100 rooms of 10, 0.98 for 1 → 1 one at a time, and half the code.
//
// # Imports
//
// resp, ring, engine/acl (a session holds its user's account), engine/glob,
// x/sys. Never command, cluster or main.
package engine
