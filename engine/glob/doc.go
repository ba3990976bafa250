// Package glob is Redis's patterns: what PSUBSCRIBE, PUBSUB CHANNELS and CONFIG
// GET mean by one, and an index that finds those which match a channel's name.
//
// # What a pattern means
//
//	?       one byte
//	*       any number of bytes, also none
//	[abc]   one of these bytes; [a-c] and [c-a] are ranges, [^abc] negates
//	\x      the byte x itself, inside a class too
//
// Match and MatchFold answer as redis-server 7.0.15 on amd64 does, at the edges
// too; match_test.go tells how that was compared:
//
//   - Only the empty pattern matches the empty string; "*" does not.
//   - "]" ends a class even where it stands first: "[]" matches nothing, "[^]"
//     any byte. A class that is never closed ends with the pattern.
//   - A backslash that ends the pattern stands for itself.
//   - "-" makes a range only between two bytes of which the first is not
//     escaped. The second can be any byte, "]" and "\" included.
//   - The ends of a range compare as signed bytes, as C's char on amd64 does.
//
// One difference is on purpose. Some builds of Redis answer "no match" to a
// pattern of more than a thousand stars, to bound their recursion. There is no
// recursion here, so such a pattern matches what it means. Time is bounded by
// the product of the two lengths.
//
// # How the index finds
//
// A pattern is cut at its first and its last wildcard: head, mid, tail.
// "user:*:log" is "user:", "*", ":log"; a name without wildcards is all head. A
// channel matches if it begins with head, ends with tail, and mid matches what
// lies between. The index is a radix trie of the heads. At the end of each head
// stand the mids of the patterns that have no tail, and a second trie with the
// reversed tails of those that have one.
//
// To find, walk down the heads along the channel's name, and at each node that
// has tails walk down those from the name's end. Only patterns whose head and
// tail both fit are looked at, and their mids matched one by one; those without
// head and tail, such as "*mid*", for every channel.
//
// Measured on two cores of an AMD EPYC, 10,000 patterns of which none matches,
// ns per channel ("far": differs at once, "near": after some nodes), no
// allocation:
//
//	no patterns at all                               10
//	idle:N:*                        far 12        near 36
//	*:idle:N                        far 18        near 47
//	user:*:N                                      near 26
//	heads of 64 lengths             far 12        near 1200, 64 mids tried
//	*idle:N*                        8 per pattern
//
// One hash map of heads, asked once per distinct length of a head, was the
// simpler candidate. It took 15 ns where names are shorter than most heads, 55
// where they are longer, and 1000 with 64 lengths even for a far channel: it
// pays for lengths, the trie only for bytes that agree.
//
// A pattern costs about 190 bytes of heap besides its text, 83 if it shares head
// and tail with others. Nodes go with their last pattern; the map of patterns
// keeps its size until the last one goes.
//
// # Who may call
//
// Match and MatchFold may be called from anywhere. The owner of an Index guards
// it: one writer, or any number of readers. The package imports the standard
// library only.
package glob
