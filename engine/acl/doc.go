// Package acl is who may do what: users, their passwords, and the rules by
// which Redis's ACL grants commands and channels.
//
// # Words
//
// A Catalog is the commands that rules can speak of; the owner of the commands
// makes one. A User is a name with flags, passwords and selectors; a selector
// grants commands and the channels that they may name, and a command is allowed
// if one selector grants all of it. A rule is one word of ACL SETUSER.
//
// # Life of a user
//
//	rules ─▶ Users.Set ─▶ a new User ─▶ Account ◀─ held by the user's clients
//
// A User never changes. Set makes another one from it and puts it into the
// Account, all rules or none. Clients hold the Account, so the next command of
// each of them is judged by the new User, with two loads and no lock. Delete
// takes the User out of the Account: who still holds it is nobody any more. A
// user who is made again under the same name gets a new Account.
//
// What follows for clients from a change (which of them are closed) is their
// owner's business; Change.Revokes and User.Hears tell it whom to look at.
//
// # Like Redis
//
// Rules, errors and what is shown are those of redis-server 7.0.15, but for the
// order in which command rules are shown: as they were given, as Redis 7.2 does,
// and without those that a later one made void. Besides:
//
//   - Rules about keys (~x, %R~x) are kept and shown and mean nothing: there are
//     no keys. So do the names of Redis's commands that are not in the Catalog
//     (foreign.go): people bring the user lines they have.
//   - %P&x grants only publishing to channels that match x, %S&x only
//     subscribing, %PS&x is &x.
//   - Words do not hold blanks or zero bytes, a user has a name, a selector's
//     last word does not end in ")", and quotes inside a selector are bytes like
//     others. So a user's line reads back as the same user.
//
// As in Redis a PSUBSCRIBE is granted only by the very same pattern or by
// allchannels: patterns are compared with channels, not with patterns.
//
// The package imports engine/glob and the standard library.
package acl
