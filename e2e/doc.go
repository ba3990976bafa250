// Package e2e tests HubSub from outside: the built binary as a process, beside a real Redis server, through real
// client libraries and tools. It imports nothing of HubSub, so it holds whatever the inside becomes.
//
// redis-server 7.0, redis-cli, redis-benchmark and script must be installed (Debian: redis-server redis-tools
// bsdutils). Without them the tests fail, they do not skip. TestMain builds the binary once, with the race detector
// if the tests have it. Every server gets a free port of its own on 127.0.0.1 and ends with its test.
//
// # The differential test
//
// TestDifferential plays the scenarios in testdata to Redis and to HubSub and compares every byte on every
// connection. A scenario is a conversation between named connections and a fresh server:
//
//	== Publishing to a subscriber
//	server --requirepass secret          flags for both servers; optional
//	a: SUBSCRIBE news "a b"              one command, words quoted as in redis-cli
//	b pipeline:                          several in one write
//	    PUBLISH news hello
//	    PUBLISH "a b" "\x00\r\n"
//	b raw: "*1\r\n$4\r\nPI" "NG\r\n"     bytes in one write; "x"*1000 repeats
//	b bytewise: "PING\r\n"               bytes one by one
//	b inline: PING                       the rest of the line and CRLF
//	b: CLIENT KILL ID $a.id              also $a.addr and $a.laddr
//	a is-closed                          no send: both servers have closed it
//	b pipeline, half-close:              the sending side is shut down behind it; also alone: b half-close
//	    PING
//	c open                               connects and says nothing; every first mention connects
//	c close                              returns when the server has forgotten the client
//
// Each of these sends is an exchange: it, and all it causes on all connections. Redis leads. It is single-threaded,
// so two PING on the harness's own connection fence an exchange off; HubSub then has two seconds to say the same.
//
// Parts of an answer that differ between any two servers, as ids and addresses, are normalised by the table in
// volatile_test.go. What HubSub means to do otherwise is in the table in differences_test.go, and the exchange where
// it shows names it, with HubSub's own bytes:
//
//	a: WATCH key
//	differs no-data-commands:
//	    a "-ERR unknown command 'WATCH', with args beginning with: 'key' \r\n"
//
// A difference that is gone fails the test too. With -v the test shows the conversations.
//
// # Clients and tools
//
// goredis_test.go, rueidis_test.go and rediscli_test.go use the libraries with their default options, RESP2 and
// RESP3, through a crash and a restart of the server; and what people type.
//
// # Under load
//
// load_test.go has 1,000 residents in rooms and compares their complete sequences with the room's one order
// (order_test.go), while visitors come, go, sleep and are killed (visitors_test.go). exactness_test.go tests what a
// client may conclude from an answer when it and the other one are on different loops, transaction_test.go that
// nothing comes between the publishes of one EXEC, slow_test.go that who does not read holds up nobody. They use
// the raw client of client_test.go and wait for answers only, never for time. Seeds are logged.
package e2e
