// Package load measures how busy this process is, as [placement.Report] says it
// to the other nodes, and how much its machine can do.
//
// # What is measured
//
// The CPU time of the process, of what it may use; how long goroutines wait for a
// processor, which is the best sign of overload that a Go server has, for it sees
// a machine that others keep busy too; the bytes sent, of what the fastest network
// interface can; the memory, of what the kernel or GOMEMLIMIT allows. Connections,
// bytes and queues are the engine's, which package load does not know: [Sources]
// are functions that the caller gives.
//
// What the process may use is the least of all that limits it: the processors it
// may run on, GOMAXPROCS, and cpu.max and memory.max of its control group and of
// all that contain that one (limits of version 1 are not read: the runtime heeds
// those of the CPU by itself, in GOMAXPROCS).
//
// # Threads
//
// None: a [Meter] measures when it is asked, from any goroutine. It reads files
// (machine.go) every half a minute, and the runtime's counters otherwise.
//
// # Imports
//
// placement, for what it fills in; the standard library.
package load
