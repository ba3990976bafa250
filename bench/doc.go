// Package bench is the load generator behind "hubsub bench" and the floor server it compares with. It speaks RESP and
// knows no engine, so it measures any server that has SUBSCRIBE and PUBLISH.
//
// # One thread
//
// The generator has one core and must cost less than the server it drives. So one goroutine, locked to its thread, does
// everything: it publishes what is due, waits in epoll, reads each ready subscriber once into one large buffer and checks
// what came. Every message of a run has the same length, which is known beforehand, so there is nothing to parse.
// Connections are opened, greeted and subscribed one after the other on blocking sockets before the loop begins. Above
// 90 % of its core the generator says so, because then it measures itself.
//
// # What is checked
//
// A payload carries its publisher, its room, its number among that publisher's messages to that room, the slot it
// occupies and the time it was meant to be sent; the rest is a fixed filling. Each subscriber compares every byte and
// knows which number each publisher's next message to each of its rooms must have. Order across rooms is not required.
// At the end each subscriber sends PING and everything before the PONG is still checked, so a late repetition is found
// without waiting for it. A lost, repeated, reordered or damaged message, or a PUBLISH answer that is not the number of
// subscribers, fails the run.
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
// CPU time is the process's CPU clock (clock_gettime of the pid), in nanoseconds. It is the sum that the schedstat files
// of the threads hold, but it keeps what ended threads used and is up to date for a thread that is running. It is
// compared with utime+stime of /proc/PID/stat, and a difference is noted. User and system shares are sampled by tick and
// need tens of seconds to be exact. What other processes and the host took meanwhile is printed, with a warning when it is
// much: it raises the CPU time of every server. On loopback the receiver's half of TCP runs inside the sender's system call and is
// billed to it: the same for every server, and part of the floor.
//
// # Comparing servers
//
// --vs measures two or more servers alternately: A B, B A, A B. Each measurement starts its server afresh and ends it,
// so only one runs at a time and none inherits memory or caches from a run before; the warm-up absorbs the start. No
// pair is discarded. Only the ratios within a pair are compared: the machine drifts by more than servers differ.
//
// A started server is pinned to one core before it begins, the generator to another. CONFIG SET turns its pub/sub output
// limit off, so that no subscriber is closed for lagging in a throughput run; what the server answered is printed.
//
// "bench floor" is a server that does the least a fan-out server can do. The distance to it is what a server adds.
//
// The package imports no other package of this module.
package bench
