package e2e

import "testing"

// TestGraphQL: GraphQL subscriptions through graphql-redis-subscriptions, with the ioredis that it brings and with the
// current one.
func TestGraphQL(t *testing.T) {
	runApp(t, "graphql.js", "own")
	runApp(t, "graphql.js", "current")
}
