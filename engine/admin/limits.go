package admin

import "time"

const (
	// connectionsMax is how many connections there are at once; one more is
	// closed. The engine sets 32 files aside for all that is no client; a
	// Prometheus pair, a health check, a person and two profiles are 6.
	connectionsMax = 8

	// APIConnectionsMax is connectionsMax where a cluster's API is: applications ask
	// it for rooms, one connection for each of their processes. These files are on
	// top of those that the engine sets aside.
	APIConnectionsMax = 128

	// scrapesMax is how many scrapes run at once; one more gets a 503. One
	// gathers some hundred kilobytes, and two Prometheus servers are usual.
	scrapesMax = 3

	// readTimeout is how long a request may take to arrive. Ours are a few
	// hundred bytes.
	readTimeout = 5 * time.Second

	// writeTimeout is how long an answer may take to leave; pprof adds the
	// seconds that a profile runs. A slow link takes a heap profile of some
	// megabytes in this time.
	writeTimeout = 30 * time.Second

	// idleTimeout keeps a connection open from one scrape to the next:
	// Prometheus's default is one a minute.
	idleTimeout = 2 * time.Minute

	// headerBytesMax is how long a request's headers may be, in bytes.
	// Prometheus sends less than 1 KiB.
	headerBytesMax = 8 << 10
)
