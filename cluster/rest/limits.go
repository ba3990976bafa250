package rest

import "time"

const (
	// requestTimeMax is how long the cluster may take for one request. It answers
	// within 5 s by itself; longer means that something is stuck.
	requestTimeMax = 10 * time.Second

	// bodyBytesMax is how long a request's body may be. The ids of all pins are a
	// few hundred bytes.
	bodyBytesMax = 16 << 10

	// putInterval is how often one connection may PUT for long, 1,000 times a
	// second, and putBurst how often at once: each may make a room, which all
	// voters keep. ROOM GET is limited alike.
	putInterval = time.Millisecond
	putBurst    = 2000

	// pageRooms is how many rooms a page has unless told, and pageRoomsMax how
	// many at most: 1,000 are some 200 KB of JSON.
	pageRooms    = 100
	pageRoomsMax = 1000

	// retryAfter is what a client shall wait before it tries again, in seconds: a
	// cluster has a new leader after one to three.
	retryAfter = "1"

	// problemInterval is how often an error that nobody expected is logged.
	problemInterval = time.Second
)
