// Package command is what clients can say: every command, its answer and its
// errors, as Redis has them. It is the engine's Handler; the engine knows
// sessions and messages, this package knows words.
//
// # The table
//
// commands.go is the one list of commands: name, arity, flags, ACL categories,
// handler, and a line for people. Everything else is drawn from it: dispatch,
// the errors for wrong names and numbers of arguments, COMMAND, COMMAND DOCS
// and every HELP. A new command is one entry there and one handler in the file
// of its noun.
//
// # Life of a command
//
//	Execute ─▶ find ─▶ refusal ─┬─▶ run(call) ──▶ Reply or Push of the session
//	             │        │     └─▶ queue, between MULTI and EXEC
//	             └────────┴───────▶ refuse: the error
//
// find looks the words up without allocating. refusal is, in Redis's order:
// not authenticated, not inside MULTI, not this user, not while a RESP2 client
// is subscribed. EXEC asks again whether the user may, for each of its commands.
// A call is passed by value and lives on the stack, so a PUBLISH or a PING
// allocates nothing.
//
// Answers go to Reply, which is nowhere while CLIENT REPLY is OFF;
// confirmations of (un)subscribing go to Push, which always arrives. The calls
// of an EXEC write into an array of their own, which is sent as a whole: the
// engine may bring out messages whenever a subscription changes, and those
// must not come between its elements.
//
// # Who owns what
//
// All loops share the Handler. What changes in it guards itself: the users, of
// package acl, and ACL LOG. A session holds its user's account, nil before it
// has authenticated; acl.go tells who a client is, and what becomes of clients
// whose user changes. What the Handler keeps for a client besides is a memory in
// Session.Context, made for those that need one (MULTI, CLIENT REPLY, TRACKING
// and the like): a subscriber costs nothing here. It belongs to the session's
// loop. What other clients see in CLIENT LIST is in Session.Identity, which is
// replaced and never changed.
//
// # Rooms
//
// ROOM asks the cluster where rooms live. That takes longer than a loop may
// wait, so each such command has a goroutine of its own (room.go), and its
// answer comes by Session.Suspend: the client's later commands wait, those of
// others do not. What the cluster is, is behind the interface Rooms; without one
// every ROOM command but HELP is refused as CLUSTER is. A user may ask for a
// room if a channel pattern grants its name, as lobby, or its name in braces, as
// {lobby}. Inside MULTI there is no ROOM.
//
// # Answers that come later
//
// In a cluster other nodes have a part in some answers. The engine puts those to
// PUBLISH into their places. SUBSCRIBE, UNSUBSCRIBE, NUMSUB and what asks Rooms
// suspend the client until they can be answered: a handler for them gives its
// answer in a function that is called then (call.later, call.suspend), and must
// not use the call's words there. An EXEC stops at such a command and goes on
// when it is answered; what it publishes is waited for at its end
// (execution.go). What a lane refuses is worded by Fault.
//
// # Like Redis
//
// Answers were compared byte by byte with redis-server 7.0.15, in both
// protocols, and are those of 7.4 where that differs: CLIENT SETINFO, NO-TOUCH
// and KILL MAXAGE, the fields of CLIENT LIST, and HELLO, which changes nothing
// unless it can do all it is asked for. On purpose different:
//
//   - What (P|S)UNSUBSCRIBE without names and PUBSUB CHANNELS list is in no
//     particular order; in Redis it is the order of its hash tables.
//   - CLIENT TRACKING is accepted and has no effect: there are no keys. So are
//     FLUSHALL, FLUSHDB, FUNCTION FLUSH and some of DEBUG, which test suites
//     send. Commands for data are unknown.
//   - There is no Lua: EVAL knows one script by its text, which publishes.
//     XRANGE and XREVRANGE find nothing.
//   - DBSIZE, SCAN, SLOWLOG, LATENCY and MODULE, which monitors and tools for
//     people ask, tell that there is nothing to tell.
//   - The words of HELP and COMMAND DOCS are our own, and the latter tells no
//     arguments.
//   - INFO has no figures that would be made up. In a cluster it tells of it,
//     but says cluster_enabled:0 all the same: to clients that means Redis
//     Cluster, whose protocol is not spoken.
//
// The package imports engine, engine/acl, engine/glob, resp and the standard library.
package command
