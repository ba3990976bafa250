// Package ring holds the pieces that loops share: the [Log], which gives the
// messages of one room their one order, and the [Inbox], which tells a loop
// which logs have something new for it. A [Meter] counts what passes.
//
// # The picture
//
//	loop 0 ──Append──┐                        ┌─▶ Reader of loop 0
//	loop 1 ──Append──┼─▶ Log: e1 ─ e2 ─ e3 ─ ∅┼─▶ Reader of loop 1
//	loop 2 ──Append──┘        (one order)     └─▶ Reader of loop 3
//	                    │
//	                    └─ mark ─▶ Inbox of loop 0, 1, 3
//
// A log is a linked list that grows at its tail. Its last entry is always
// empty: Append fills it and links a new empty one behind it, so a reader that
// has read everything holds no value alive. What every reader has passed is
// garbage; nobody counts references.
//
// # Threads
//
// Any goroutine appends. A Reader belongs to one goroutine, that of its Inbox;
// it reads without a lock. Join, Leave, Close and Append exclude each other by
// a mutex, which is never held across a system call, a wake or a wait.
//
// # Why a mutex
//
// The entry list can be grown with one atomic exchange of the tail instead of
// a mutex, and log_timing_test.go keeps that version beside this one. On two
// cores one writer appends and drains in 47 ns with the mutex and 38 ns with
// the exchange; two writers on one log need 55 ns and 83 ns (medians of 5, and
// the exchange marks one reader there where the mutex marks two). A room is
// appended to once per tick and loop, so neither figure shows in a message's
// cost. What decides is what the mutex makes atomic: "join these readers, then
// append" and "close unless somebody reads" are one step each, where the
// exchange needs pins, second looks and a proof.
//
// # Imports
//
// The standard library only.
package ring
