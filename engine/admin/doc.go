// Package admin is what operators and their tools see of a running server, over
// HTTP on an address of its own:
//
//	/             what there is
//	/metrics      figures for Prometheus
//	/healthz      200 "ok" while clients are served, 503 while the server ends
//	/readyz       200 "ok" while new clients may be sent here; else 503 and why
//	/v1/          the API of a cluster, which another package answers
//	/debug/pprof/ profiles, for "go tool pprof"
//
// # Who may come
//
// There is no password and no TLS; at most the API has a token. Whoever reaches the address can read the
// figures and can slow the server down with profiles. So the address is for
// operators only: keep it on loopback or on a network of their own. Listen logs
// a warning if it is not loopback. The command line, which may hold a password,
// is not told: pprof's cmdline is left out.
//
// # Figures
//
// The collector (metrics.go) keeps no counts. It reads the engine's when it is
// scraped, which costs the loops nothing: they add to their atomics once a tick
// in any case. A figure may therefore lag behind an answer that a client has
// got, by less than a tick. CONFIG RESETSTAT sets the counters back to zero;
// Prometheus takes that for a restart of the server, as it should.
//
// What is counted per loop has the label loop; what has a reason or a kind has
// that as a label. Every series is there from the start, with 0, so that an
// alert on its rate needs no special case.
//
// The figures of a cluster are a collector that whoever joins the two hands in:
// this package knows nothing of clusters.
//
// # Threads and life
//
// Listen opens the address and serves in goroutines of net/http, away from the
// loops. BeginShutdown turns /healthz and /readyz to 503, so that a load balancer sends
// nobody here any more; Close ends the rest. The order of a server's end is
// BeginShutdown, Engine.Shutdown, Close: figures and health can be read as long
// as clients are there.
//
// Connections and scrapes are bounded (limits.go), for they take file
// descriptors and memory that clients need.
//
// # Imports
//
// engine, prometheus/client_golang, the standard library.
package admin
