package glob

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// Each benchmark asks an index for a channel that matches none of its patterns,
// except where its name says so. "far" differs from the patterns in its first
// byte (or its last), "near" only after a few nodes of the trie.

func benchmarkFind(b *testing.B, patterns []string, channel string) {
	var x Index[int]
	for i, p := range patterns {
		x.Add(p, i)
	}
	name := []byte(channel)
	var matches []int
	b.ReportAllocs()
	for b.Loop() {
		matches = x.AppendMatches(matches[:0], name)
	}
}

func numbered(format string, n int) []string {
	patterns := make([]string, n)
	for i := range patterns {
		patterns[i] = fmt.Sprintf(format, i)
	}
	return patterns
}

func BenchmarkNoPatterns(b *testing.B) {
	benchmarkFind(b, nil, "room:42")
}

func BenchmarkPrefixes(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		patterns := numbered("idle:%d:*", n)
		b.Run(fmt.Sprintf("%d/far", n), func(b *testing.B) { benchmarkFind(b, patterns, "room:42") })
		b.Run(fmt.Sprintf("%d/near", n), func(b *testing.B) { benchmarkFind(b, patterns, "idle:7!") })
	}
	patterns := numbered("idle:%d:*", 10_000)
	b.Run("10000/one-match", func(b *testing.B) { benchmarkFind(b, patterns, "idle:1234:x") })
}

func BenchmarkSuffixes(b *testing.B) {
	patterns := numbered("*:idle:%d", 10_000)
	b.Run("10000/far", func(b *testing.B) { benchmarkFind(b, patterns, "room:chat") })
	b.Run("10000/near", func(b *testing.B) { benchmarkFind(b, patterns, "room!idle:42") })
}

func BenchmarkPrefixesAndSuffixes(b *testing.B) {
	patterns := numbered("user:*:%d", 10_000)
	b.Run("10000/near", func(b *testing.B) { benchmarkFind(b, patterns, "user:7:typing") })
}

// BenchmarkPrefixLengths has 10,000 prefixes of 64 different lengths, all along
// a few long names, and a channel that follows one of them to its last byte.
func BenchmarkPrefixLengths(b *testing.B) {
	const lengthMax = 64
	r := rand.New(rand.NewPCG(1, 2))
	var patterns []string
	var name string
	for len(patterns) < 10_000 {
		letters := make([]byte, lengthMax)
		for i := range letters {
			letters[i] = 'a' + byte(r.IntN(26))
		}
		name = string(letters)
		for length := 1; length <= lengthMax; length++ {
			patterns = append(patterns, name[:length]+"?!")
		}
	}
	b.Run("10000/far", func(b *testing.B) { benchmarkFind(b, patterns, "ROOM:42") })
	b.Run("10000/near", func(b *testing.B) { benchmarkFind(b, patterns, name) })
}

// BenchmarkLinear has the patterns that no trie helps with: no literal at either
// end.
func BenchmarkLinear(b *testing.B) {
	patterns := numbered("*idle:%d*", 100)
	b.Run("100", func(b *testing.B) { benchmarkFind(b, patterns, "room:42") })
}

// BenchmarkMatchStars is the pattern that makes a matcher with naive
// backtracking run for ever.
func BenchmarkMatchStars(b *testing.B) {
	pattern := []byte(strings.Repeat("a*", 30) + "b")
	s := []byte(strings.Repeat("a", 60))
	b.ReportAllocs()
	for b.Loop() {
		Match(pattern, s)
	}
}

// BenchmarkBuild adds 100,000 patterns to an empty index and reports the heap
// bytes that one then costs, its own text not counted.
func BenchmarkBuild(b *testing.B) {
	for _, format := range []string{"idle:%d:*", "*:idle:%d", "user:*:%d", "*idle:%d*", "idle:%d"} {
		b.Run(format, func(b *testing.B) {
			patterns := numbered(format, 100_000)
			before := heapBytes()
			var x *Index[*int]
			for b.Loop() {
				x = new(Index[*int])
				for _, p := range patterns {
					x.Add(p, nil)
				}
			}
			b.ReportMetric(float64(heapBytes()-before)/float64(x.Len()), "B/pattern")
			runtime.KeepAlive(patterns)
		})
	}
}

func heapBytes() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func BenchmarkAddRemove(b *testing.B) {
	var x Index[int]
	for i, p := range numbered("idle:%d:*", 10_000) {
		x.Add(p, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		x.Add("idle:5000x:*", 1)
		x.Remove("idle:5000x:*")
	}
}
