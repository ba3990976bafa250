package lane

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// A tally is a map from names to how many hear them, whatever it is made of.
func TestTally(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(1, seed))
		var got tally
		want := make(map[name]int64)
		for range 200 {
			n := name{Kind(r.IntN(3)), fmt.Sprint("n", r.IntN(6))}
			clients := r.Int64N(3)
			got.set(n, clients)
			if want[n] = clients; clients == 0 {
				delete(want, n)
			}
			if r.IntN(100) == 0 {
				got.clear()
				clear(want)
			}
			var sum int64
			for _, clients := range want {
				sum += clients
			}
			if got.empty() != (len(want) == 0) || got.clients() != sum || !maps.Equal(maps.Collect(got.all()), want) {
				t.Fatalf("seed %d: %v, want %v", seed, maps.Collect(got.all()), want)
			}
			if got.of(n) != want[n] || got.named(n.kind, []byte(n.text)) != want[n] {
				t.Fatalf("seed %d: %v has %d, want %d", seed, n, got.of(n), want[n])
			}
			patterns := 0
			for n := range want {
				if n.kind == Pattern {
					patterns++
				}
			}
			if len(got.patterns) != patterns {
				t.Fatalf("seed %d: %v are the patterns of %v", seed, got.patterns, want)
			}
		}
	}
}
