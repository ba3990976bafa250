// Package rest is the cluster's HTTP API: rooms and nodes as JSON, under /v1 of
// the address that --http opens. It decides nothing: a request becomes one call
// of the node, and its error a problem document (RFC 9457).
//
//	PUT    /v1/rooms/{room}  makes a room if need be, and tells its hosts
//	GET    /v1/rooms/{room}  tells them and how each node sees the room, or 404
//	DELETE /v1/rooms/{room}  takes them away
//	GET    /v1/rooms         all rooms, page by page
//	GET    /v1/nodes         the cluster's members
//	GET    /v1/openapi.json  all of this for programs
//
// # The document
//
// openapi.json is written by hand and embedded; a test plays every operation of
// it with every status that it names against a real HTTP server, and holds each
// answer against its schema. routes in handler.go is the one list of what is
// served; the test compares the two.
//
// # Names
//
// A room's name is one segment of the path, percent-encoded: %2F is a slash in
// it. JSON holds only UTF-8, so other names are refused here; ROOM commands take
// any bytes.
//
// # Who may come
//
// With a token, who knows it. Without one, whoever reaches the address. Each
// connection may PUT only so often (limits.go), for a PUT may make a room and
// whether it did shows only afterwards; ConnContext must be http.Server's for
// that, or all connections share one allowance.
//
// # Imports
//
// cluster, cluster/placement, sonic, the standard library.
package rest
