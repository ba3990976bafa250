// Package porttest is a network in memory for tests of what runs over package
// port: nodes at addresses that can be cut off from each other, and killed.
//
//	network := porttest.New()
//	port.Listen(port.Config{Address: "10.0.0.1:7000", Network: network.At("10.0.0.1:7000"), …})
//	network.Cut("10.0.0.1:7000", "10.0.0.2:7000")
//	network.Kill("10.0.0.1:7000")
//
// Connections behave as TCP's do. What is written while the way is cut arrives
// when it heals; until then it fills a buffer, and then a write waits. A
// connection whose way stays cut breaks at both ends after [BrokenAfter], as the
// port's keepalive would have it. A dial over a cut way waits for its context; one
// to an address where nobody listens is refused with ECONNREFUSED.
//
// There is no socket, no goroutine and no delay. Inside a bubble of
// testing/synctest, where time is virtual, a network is made inside the bubble.
//
// # Imports
//
// The standard library only.
package porttest
