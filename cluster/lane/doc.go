// Package lane is the protocol by which the nodes of a cluster carry the messages
// of rooms: one order of each room for all who hear it, on whatever node.
package lane
