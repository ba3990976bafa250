package glob

import (
	"bytes"
	"strings"
	"testing"
)

// Where the truth comes from: each case of TestMatch was asked of redis-server
// 7.0.15 on amd64 (SUBSCRIBE s, then PUBSUB CHANNELS pattern), and so was each of
// TestMatchFold (FUNCTION LIST LIBRARYNAME pattern, which folds case as CONFIG
// GET does). That server also agreed on 36 million random pairs over alphabets
// such as `abc*?[]^-\` and "a\x00\x7f\x80\xff*[]-^\\?" (PUBSUB CHANNELS), 300,000
// that it delivered or not (PSUBSCRIBE, PUBLISH), and 4 million with case folded
// (FUNCTION LIST, CONFIG GET).

func TestMatch(t *testing.T) {
	yes := func(pattern, s string) {
		t.Helper()
		if !Match([]byte(pattern), []byte(s)) {
			t.Errorf("Match(%q, %q) = false, want true", pattern, s)
		}
	}
	no := func(pattern, s string) {
		t.Helper()
		if Match([]byte(pattern), []byte(s)) {
			t.Errorf("Match(%q, %q) = true, want false", pattern, s)
		}
	}

	// Literals.
	yes("news", "news")
	no("news", "News")
	no("news", "new")
	no("news", "newsx")
	no("", "a")
	yes("a\x00b", "a\x00b")
	no("a\x00b", "a\x00c")
	yes("\xff\x80", "\xff\x80")

	// The empty string: only the empty pattern matches it.
	yes("", "")
	no("*", "")
	no("**", "")
	no("?", "")
	no("[^a]", "")
	no("\\", "")

	// Stars.
	yes("*", "a")
	yes("***", "a")
	yes("a*", "a")
	yes("a**", "a")
	yes("*a", "a")
	yes("news.*", "news.")
	yes("news.*", "news.sport.*")
	no("news.*", "news")
	yes("*ab", "aab")
	yes("*ab", "abab")
	no("*ab", "aba")
	yes("a*b*c", "a--b--b--c")
	no("a*b*c", "a--c--b")
	yes("*b*", "abc")
	no("*b*", "acc")
	yes("*\x00*", "a\x00b")
	yes("h*llo", "heeeello")

	// Question marks: one byte, not one rune.
	yes("h?llo", "hello")
	no("h?llo", "hllo")
	no("a?", "a")
	yes("a*?", "ab")
	no("a*?", "a")
	yes("?", "\xff")
	no("?", "é")
	yes("??", "é")

	// Classes.
	yes("h[ae]llo", "hello")
	no("h[ae]llo", "hillo")
	yes("h[^e]llo", "hallo")
	no("h[^e]llo", "hello")
	no("a[b]", "a")
	yes("[a^]", "^")
	no("[^^]", "^")
	yes("[^^]", "a")
	no("[!a]", "b")
	yes("[!a]", "!")
	yes("[*?]", "*")
	no("[*?]", "b")
	yes("[[]", "[")
	yes("*[b]*", "abc")
	yes("[\x00]", "\x00")

	// A class ends at its first "]", even an empty one.
	no("[]", "a")
	no("[]", "]")
	yes("[^]", "a")
	yes("[^]", "]")
	no("[]a]", "a")
	no("[]a]", "]")
	no("[]a]", "]a]")
	yes("[^]a]", "]a]")
	yes("[a]]", "a]")

	// A class that is never closed ends with the pattern.
	no("[", "a")
	no("[", "[")
	yes("[^", "a")
	yes("[a", "a")
	yes("[ab", "b")
	no("[ab", "ab")
	no("[^a", "a")
	yes("[^a", "b")
	yes("x[a*", "x*")
	no("x[a*", "xab")

	// Ranges, also reversed.
	yes("[a-c]", "b")
	no("[a-c]", "d")
	yes("[c-a]", "b")
	no("[c-a]", "d")
	no("[^a-c]", "b")
	yes("[^c-a]", "d")
	yes("[a-cx-z]", "y")
	no("[a-cx-z]", "m")
	yes("[a-c-e]", "-")
	yes("[a-c-e]", "e")
	no("[a-c-e]", "d")
	yes("[--0]", "/")

	// A "-" at an end of a class is a "-", but "]" can end a range.
	yes("[-a]", "-")
	no("[-a]", "b")
	yes("[a-", "-")
	yes("[a-", "a")
	yes("[a-]", "]")
	yes("[a-]", "^")
	no("[a-]", "-")
	yes("[a-]x]", "x")
	yes("[a-]x", "x")
	no("[a-]x", "ax")

	// The ends of a range are signed bytes.
	yes("[a-\xff]", "\x00")
	no("[a-\xff]", "b")
	yes("[\x80-\xff]", "\xc3")
	no("[\x80-\xff]", "a")
	no("[\x7f-\x80]", "\xff\xff")
	yes("[\x7f-\x80]", "a")

	// Escapes.
	yes(`\*`, "*")
	no(`\*`, "a")
	yes(`a\*b`, "a*b")
	no(`a\*b`, "axb")
	yes(`\?\[\]`, "?[]")
	yes(`\\`, `\`)
	yes(`\a`, "a")
	no(`\a`, `\a`)
	yes(`*\*`, "a*")
	no(`*\*`, "ab")

	// A backslash that ends the pattern stands for itself.
	yes(`\`, `\`)
	yes(`a\`, `a\`)
	no(`a\`, "a")
	yes(`*\`, `ab\`)
	yes(`\\\`, `\\`)

	// Escapes in classes.
	yes(`[\]]`, "]")
	no(`[\]]`, `\`)
	yes(`[\^a]`, "^")
	yes(`[^\]]`, "a")
	yes(`[\\]`, `\`)
	yes(`[a\-z]`, "-")
	no(`[a\-z]`, "m")
	yes(`[\a-c]`, "-")
	no(`[\a-c]`, "b")
	yes(`[a-\]]`, "^]")
	no(`[a-\]]`, "b")
	yes(`[a-\]]`, "]]")
	yes(`[\`, `\`)
	yes(`[a\`, `\`)
	no(`[a\`, "b")
	yes(`[a-\`, "^")
}

func TestMatchFold(t *testing.T) {
	yes := func(pattern, s string) {
		t.Helper()
		if !MatchFold([]byte(pattern), []byte(s)) {
			t.Errorf("MatchFold(%q, %q) = false, want true", pattern, s)
		}
	}
	no := func(pattern, s string) {
		t.Helper()
		if MatchFold([]byte(pattern), []byte(s)) {
			t.Errorf("MatchFold(%q, %q) = true, want false", pattern, s)
		}
	}

	yes("MaxClients", "maxclients")
	yes("maxclients", "MAXCLIENTS")
	yes("MAX*", "maxclients")
	yes("*CLIENTS", "maxclients")
	yes("*c*T*", "maxclients")
	no("max-*", "maxclients")
	yes(`\MAX`, "max")
	no("@", "_")

	yes("[M]ax", "max")
	yes("[m]ax", "Max")
	no("[^M]ax", "max")
	yes("[A-C]", "b")
	yes("[a-c]", "B")
	yes("[c-A]", "b")
	no("[a-c]", "D")

	// An escaped byte in a class keeps its case.
	yes(`[\a]`, "a")
	no(`[\A]`, "a")
	yes(`[^\A]`, "a")

	// The ends are ordered first and folded then.
	no("[a-Z]", "a")
	no("[Z-a]", "m")
	yes("[Z-z]", "z")
	yes("[A-z]", "m")
	no("[A-z]", "_")
}

// Backtracking to every star would take longer than any test may run.
func TestMatchManyStars(t *testing.T) {
	pattern := []byte(strings.Repeat("a*", 5000) + "b")
	s := []byte(strings.Repeat("a", 10_000))
	if Match(pattern, s) {
		t.Error("matches without its last byte")
	}
	if !Match(pattern, append(s, 'b')) {
		t.Error("does not match with its last byte")
	}
}

// matchSlowly says what a pattern means in the plainest way: first a list of
// elements, each the set of bytes it takes, then every way to place the stars.
func matchSlowly(pattern, s []byte, fold bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	return placeElements(elementsOf(pattern, fold), s)
}

type element struct {
	star  bool
	takes byteSet
}

func placeElements(elements []element, s []byte) bool {
	if len(elements) == 0 {
		return len(s) == 0
	}
	if elements[0].star {
		for i := range len(s) + 1 {
			if placeElements(elements[1:], s[i:]) {
				return true
			}
		}
		return false
	}
	return len(s) > 0 && elements[0].takes[s[0]] && placeElements(elements[1:], s[1:])
}

func elementsOf(pattern []byte, fold bool) []element {
	var elements []element
	for len(pattern) > 0 {
		var e element
		c := pattern[0]
		pattern = pattern[1:]
		switch {
		case c == '*':
			e.star = true
		case c == '?':
			e.takes.complement()
		case c == '[':
			e.takes, pattern = classOf(pattern, fold)
		case c == '\\' && len(pattern) > 0:
			e.takes.add(pattern[0], fold)
			pattern = pattern[1:]
		default:
			e.takes.add(c, fold)
		}
		elements = append(elements, e)
	}
	return elements
}

// classOf reads a class after its "[" and returns what follows its "]".
func classOf(pattern []byte, fold bool) (takes byteSet, rest []byte) {
	pattern, negated := bytes.CutPrefix(pattern, []byte("^"))
	closed := false
	for len(pattern) > 0 && !closed {
		switch {
		case pattern[0] == ']':
			closed = true
			pattern = pattern[1:]
		case pattern[0] == '\\' && len(pattern) > 1:
			takes.add(pattern[1], false)
			pattern = pattern[2:]
		case len(pattern) > 2 && pattern[1] == '-':
			takes.addRange(pattern[0], pattern[2], fold)
			pattern = pattern[3:]
		default:
			takes.add(pattern[0], fold)
			pattern = pattern[1:]
		}
	}
	if negated {
		takes.complement()
	}
	return takes, pattern
}

type byteSet [256]bool

func (set *byteSet) add(c byte, fold bool) {
	set[c] = true
	for i := range set {
		set[i] = set[i] || fold && foldSlowly(int8(i)) == foldSlowly(int8(c))
	}
}

func (set *byteSet) addRange(a, b byte, fold bool) {
	low, high := min(int8(a), int8(b)), max(int8(a), int8(b))
	for i := range set {
		c := int8(i)
		if fold {
			set[i] = set[i] || foldSlowly(low) <= foldSlowly(c) && foldSlowly(c) <= foldSlowly(high)
		} else {
			set[i] = set[i] || low <= c && c <= high
		}
	}
}

func (set *byteSet) complement() {
	for i := range set {
		set[i] = !set[i]
	}
}

func foldSlowly(c int8) int8 {
	if i := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ", byte(c)); i >= 0 {
		return int8("abcdefghijklmnopqrstuvwxyz"[i])
	}
	return c
}

// FuzzMatch also asks an index of the one pattern.
func FuzzMatch(f *testing.F) {
	for _, pattern := range []string{"", "*", "a*b?c", "[a-c]*[^x]", `\*[\]-]\`, "*[a-\xff", "news.*.sport", "[]a]", "[A-z]*"} {
		for _, s := range []string{"", "a", "abc", "news.uk.sport", `*]\`} {
			f.Add([]byte(pattern), []byte(s))
		}
	}
	// Keeps matchSlowly, exponential in the stars, short.
	const patternBytesMax, stringBytesMax = 16, 24
	f.Fuzz(func(t *testing.T, pattern, s []byte) {
		if len(pattern) > patternBytesMax || len(s) > stringBytesMax {
			return
		}
		want := matchSlowly(pattern, s, false)
		if got := Match(pattern, s); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", pattern, s, got, want)
		}
		var x Index[int]
		x.Add(string(pattern), 1)
		if got := len(x.AppendMatches(nil, s)) == 1; got != want {
			t.Errorf("an index of %q finds %q: %v, want %v", pattern, s, got, want)
		}
		want = matchSlowly(pattern, s, true)
		if got := MatchFold(pattern, s); got != want {
			t.Errorf("MatchFold(%q, %q) = %v, want %v", pattern, s, got, want)
		}
	})
}
