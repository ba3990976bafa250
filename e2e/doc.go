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
// so two PING on the harness's own connection fence an exchange off; HubSub then has 15 seconds to say the same.
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
// goredis_test.go and rueidis_test.go use the libraries with their default options, RESP2 and RESP3, through a crash and a
// restart of the server: with Redis, with HubSub, and with a cluster that looks like one server (spread_test.go), of which
// nodes die, too (vigil_test.go). rediscli_test.go is what people type.
//
// The programs in clients/ (clients_test.go) are the same for the libraries of other languages, unmodified: ioredis and
// node-redis, the current and the previous major of each, redis-py, hiredis, phpredis. A program is a list of facts in
// its own language and ends with an error at the first that is false. It is run part by part, with the port as its last
// argument; when it prints "ready" the server is killed and started again, and the program gets a line that says so.
// Its facts must hold for Redis too.
//
// The connect_*.txt of the differential test are what other clients and tools send when they connect, write for write,
// up to a subscription that gets a message and the PING or ECHO that keeps it alive. admin_test.go asks what an
// operator's tools ask over HTTP.
//
// # Applications
//
// The programs in apps/ are applications as companies run them, unchanged: a Socket.IO chat of two processes, GraphQL
// subscriptions, two nodes of Centrifugo's engine (a Go module of its own), Laravel's broadcaster. Each is a list of
// facts that must hold for Redis too, and asks for a crash and a restart of the server where that is a fact's topic.
//
// # Under load
//
// load_test.go has 1,000 residents in rooms and compares their complete sequences with the room's one order
// (order_test.go), while visitors come, go, sleep and are killed (visitors_test.go). exactness_test.go tests what a
// client may conclude from an answer when it and the other one are on different loops, transaction_test.go that
// nothing comes between the publishes of one EXEC, slow_test.go that who does not read holds up nobody. They use
// the raw client of client_test.go and wait for answers only, never for time. Seeds are logged.
//
// # In a storm
//
// TestStorm lets a hundred guests in that say every command of the table (vocabulary_test.go), damage what they say
// (mutation_test.go) and behave as nobody should (conduct_test.go), while rooms as those under load go on and PING is
// answered. What a guest hears must be RESP to the letter (wire_test.go); one that says only what it understands knows
// every answer (model_test.go). When all have left, the server must be as it was: clients, channels, files,
// goroutines, memory (vitals_test.go). TestGarbageDifferential sends damaged conversations to Redis too and compares
// all bytes; a difference is shown with the shortest conversation that has it.
//
// TestHostileClusterPort (hostile_cluster_test.go) does the same to the cluster ports of three nodes, with a secret and
// without (arsenal_test.go). Its strangers (stranger_test.go) greet as nodes do, but for one thing. Those of
// TestHostileLinks (impostor_test.go) know the secret, and say over links what no node says (forgery_test.go).
//
//	go test ./e2e -run Storm -storm 1h -timeout 0      how long; 5s if not given
//	go test ./e2e -run Garbage -storm-seed 42         the seed that a failure has logged
//
// The garbage of a seed is the same each time, up to which of two servers gets what; in a storm only what each guest
// draws is.
package e2e
