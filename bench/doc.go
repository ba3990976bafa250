// Package bench is the load generator behind "hubsub bench" and the floor server it compares with. It speaks RESP2, RESP3
// and NATS and knows no engine, so it measures any server that has SUBSCRIBE and PUBLISH, or SUB and PUB.
//
// # One thread
//
// The generator has one core and must cost less than the server it drives. So one goroutine, locked to its thread, does
// everything: it publishes what is due, waits in epoll, reads each ready subscriber once into one large buffer and checks
// what came. Every message of a run has the same length, which is known beforehand, so there is nothing to parse.
// Connections are opened, greeted and subscribed one after the other on blocking sockets before the loop begins. Above
// 90 % of its core the generator says so, because then it measures itself.
//
// A shape is a handful of numbers; a layout is what they come to over a server's nodes: who connects where, speaks what
// and is in which rooms. A connection's rooms are a range, so that finding the place where a message is checked costs the
// same for all of them. Members of one room are spread over the nodes and take the protocols in turn, so every room with
// enough members has all of both.
//
// # Protocols
//
// A format belongs to a connection and knows its messages' bytes: subscription ids of NATS are chosen such that there too
// a room's messages all begin alike. A server is asked with an inline PING unless --protocol says what it speaks: RESP
// answers, NATS greets. Two things are different in NATS. A PUB has no answer, so a publish is in flight until all its
// deliveries have come, and publishes/s counts those. And the server speaks beside its messages (PING, INFO); that is
// looked for only where a message is not what it must be, so it costs the others nothing.
//
// # What is checked
//
// A payload carries its publisher, its room, its number among that publisher's messages to that room, the slot it
// occupies and the time it was meant to be sent; the rest is a fixed filling. Each subscriber compares every byte, those of
// the mark with what was published in its slot, and knows which number each publisher's next message to each of its rooms must have. Order across rooms is not required.
// At the end each subscriber sends PING; everything before the PONG, and what comes in a tenth of a second behind the last
// one, is still checked, so a late repetition is found. A lost, repeated, reordered or damaged message, or a PUBLISH answer that is not the number of
// subscribers, fails the run. With several addresses an answer below that number is right, since the nodes of a Redis
// Cluster count their own subscribers only; it is noted.
//
// --total-order compares the subscribers of a room with each other: the first that gets to a position in the room's order
// decides what stands there, and all others must find the same. A position is forgotten when all have passed it. It is a
// stronger promise than a server may make: NATS keeps each publisher's order, but no order among publishers, and neither
// does Redis Cluster. Wanderers are not compared.
//
// Wanderers (--wanderers, and shape mixed) are in one room at a time, leave it after a few messages and join another,
// often a large one. What is under way while they join or leave may or may not reach them, so their messages are no part
// of what completes a publish or of latency. But from the confirmation of the SUBSCRIBE to that of the UNSUBSCRIBE each
// publisher's messages must come without a gap; none may come outside; those published after the first confirmation was
// read must come, those answered before UNSUBSCRIBE was sent too, and those answered before SUBSCRIBE was sent must not.
// A wanderer that hears nothing stays where it is and is found at the end. PUBLISH must count those that are there for
// certain and may count those that are under way. Where an answer does not mean that everybody was reached (several
// nodes, NATS) the two rules about answers are off. NATS confirms no SUB; the answer to a PING behind it does, and
// messages may come before that.
//
// # Closed and open loop
//
// In a closed loop each publisher keeps --pipeline publishes in flight. A publish is in flight until its answer was read
// and all its deliveries were counted; with --pipeline 1 that is "one at a time". A closed loop waits for the server when
// the server is slow, so it tells throughput and cost, never latency. In an open loop (--rate) publishes have intended
// times that do not depend on the server; none is skipped. Latency runs from the intended time to the moment a
// subscriber's message was read, and is given over all deliveries, and over the first and the last delivery of each
// publish. How late the generator itself was is printed beside it.
//
// # What is measured
//
// After a warm-up the counters are read, and again after --duration: deliveries and answers; the server's CPU time; the
// data segments that the subscribers' sockets received (TCP_INFO), so K, messages per segment, needs no network
// namespace and counts nobody else's traffic.
//
// Over a Unix socket there are no segments, and no K. CPU time and memory are summed over the processes of all nodes.
// Those of a server that runs on this machine are found by the sockets that it listens on (/proc/net, /proc/PID/fd), if
// all of them can be: part of a sum would mislead. A wrapper that listens for others, or a forked child that shares the
// socket, is found in their place or beside them; what was found is printed, and --pid corrects it. A pid that does not
// listen there is measured too, and said to be another's.
//
// --idle-cpu, and always shape cluster, reads the CPU time for some seconds before anything is published, with all
// connections there: timers, heartbeats, gossip. The cost per delivery is then given with and without it. At a fixed low
// rate much of the cost per delivery is that, and with it a server with more nodes looks worse for what it does once.
//
// CPU time is the process's CPU clock (clock_gettime of the pid), in nanoseconds. It is the sum that the schedstat files
// of the threads hold, but it keeps what ended threads used and is up to date for a thread that is running. It is
// compared with utime+stime of /proc/PID/stat, and a difference is noted. User and system shares are sampled by tick and
// need tens of seconds to be exact. What other processes and the host took meanwhile is printed, with a warning when it is
// much: it raises the CPU time of every server. On loopback the receiver's half of TCP runs inside the sender's system call and is
// billed to it: the same for every server, and part of the floor.
//
// # Who wakes whom
//
// The generator sleeps when there is nothing to read, and the send that wakes it takes the server several microseconds
// more than the next one. A subscriber on another machine is woken there, at no cost to the server. So a server that
// makes many sends at once, during which the generator stays awake, may look better than with remote subscribers. --spin
// keeps the generator awake. The comparison has both: of nine pairs each, the ratios were the same within noise.
//
// # Comparing servers
//
// --vs measures two or more servers alternately: A B, B A, A B. Each measurement starts its server afresh and ends it,
// so only one runs at a time and none inherits memory or caches from a run before; the warm-up absorbs the start. No
// pair is discarded. Only the ratios within a pair are compared: the machine drifts by more than servers differ.
//
// A started server is what listens at its address then, of the command itself or of what it has started; all of it ends
// with the measurement, daemons too.
//
// A server may also run already (--vs NAME=ADDR); then it is not pinned, and not idle while others are measured: it keeps
// what runs before have left in it. NAME[rate=100]=… gives one server a load of its own, as for the same server twice.
//
// A started server is pinned to one core before it begins, the generator to another. CONFIG SET turns its pub/sub output
// limit off, so that no subscriber is closed for lagging in a throughput run; what the server answered is printed.
//
// # What is shown
//
// A measurement is data first: package record has its figures, each with a unit and the direction that is better, the
// latency histograms as quantiles, and the conditions it was made under. Figures that a server does not have are missing,
// not zero. The text is printed while a run goes on; --json prints the whole run at its end instead, as one document whose
// names are a promise; --report writes a page with plots, made by package page, and "bench report" makes one page, and a
// picture for a README, out of the documents of many runs. A run that fails leaves no document and no page.
//
// On a terminal, a line on stderr says how far the run is. The generator's thread writes it, ten times a second at most
// and without allocating; into a pipe it writes nothing.
//
// "bench floor" is a server that does the least a fan-out server can do. The distance to it is what a server adds.
//
// Beside record and page the package imports no other package of this module.
package bench
