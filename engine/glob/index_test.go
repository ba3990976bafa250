package glob

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestIndexMatches(t *testing.T) {
	var x Index[string]
	for _, p := range []string{
		"", "*", "?", "news", "news.*", "news.*.uk", "news.?", "n*", "*.uk", "*sport*", "*s.*.uk",
		`news.\*`, `\news`, "[n]ews", "new[", "s*s", "s*ss", "ab*bc", `*.\uk`, "*[.]uk", `*\`, `a\`,
	} {
		x.Add(p, p)
	}
	f := func(channel string, want ...string) {
		t.Helper()
		got := x.AppendMatches(nil, []byte(channel))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q is matched by %q, want %q", channel, got, want)
		}
	}

	f("", "")
	f("x", "*", "?")
	f("news", "*", "news", "n*", `\news`, "[n]ews")
	f("news.", "*", "news.*", "n*")
	f("news.*", "*", "news.*", "news.?", "n*", `news.\*`)
	f("news.uk", "*", "news.*", "n*", "*.uk", `*.\uk`, "*[.]uk")
	f("news.a.uk", "*", "news.*", "news.*.uk", "n*", "*.uk", "*s.*.uk", `*.\uk`, "*[.]uk")
	f("sport", "*", "*sport*")
	f(`a\`, "*", `*\`, `a\`)

	// A head and a tail do not share bytes.
	f("s", "*", "?")
	f("ss", "*", "s*s")
	f("sss", "*", "s*s", "s*ss")
	f("abc", "*")
	f("abbc", "*", "ab*bc")
}

func TestIndexAppends(t *testing.T) {
	var x Index[int]
	x.Add("a*", 1)
	if got := x.AppendMatches([]int{7}, []byte("ab")); !slices.Equal(got, []int{7, 1}) {
		t.Errorf("AppendMatches([7]) = %v, want [7 1]", got)
	}
}

func TestIndexAddTwice(t *testing.T) {
	var x Index[int]
	x.Add("a*", 1)
	x.Add("a*", 2)
	if x.Len() != 1 {
		t.Errorf("Len() = %d, want 1", x.Len())
	}
	if got := x.AppendMatches(nil, []byte("ab")); !slices.Equal(got, []int{2}) {
		t.Errorf("AppendMatches = %v, want [2]", got)
	}
	if v, ok := x.Get("a*"); v != 2 || !ok {
		t.Errorf("Get = %d, %v, want 2, true", v, ok)
	}
}

// Patterns that mean the same are different patterns.
func TestIndexSameMeaning(t *testing.T) {
	var x Index[int]
	x.Add("a", 1)
	x.Add(`\a`, 2)
	x.Add("[a]", 3)
	if got := x.AppendMatches(nil, []byte("a")); len(got) != 3 {
		t.Errorf("AppendMatches = %v, want three", got)
	}
	x.Remove("a")
	if got := x.AppendMatches(nil, []byte("a")); len(got) != 2 || slices.Contains(got, 1) {
		t.Errorf("AppendMatches = %v, want 2 and 3", got)
	}
}

func TestIndexAbsentPattern(t *testing.T) {
	var x Index[int]
	f := func(pattern string) {
		t.Helper()
		if x.Remove(pattern) {
			t.Errorf("Remove(%q) = true", pattern)
		}
		if v, ok := x.Get(pattern); v != 0 || ok {
			t.Errorf("Get(%q) = %d, %v", pattern, v, ok)
		}
	}
	f("")
	f("a*")
	x.Add("a*b", 1)
	f("a*")
	f("a")
	f("a*c")
	f("a?b")
	if x.Len() != 1 {
		t.Errorf("Len() = %d, want 1", x.Len())
	}
}

func TestIndexAll(t *testing.T) {
	var x Index[int]
	want := map[string]int{"": 1, "a": 2, "a*": 3, "*b": 4, "a*b": 5, "*x*": 6}
	for p, v := range want {
		x.Add(p, v)
	}
	if got := maps.Collect(x.All()); !maps.Equal(got, want) {
		t.Errorf("All() yields %v, want %v", got, want)
	}
	for range x.All() {
		break
	}
}

func TestSplit(t *testing.T) {
	f := func(pattern, head, mid, tail string) {
		t.Helper()
		gotHead, gotMid, gotTail := split(pattern)
		if gotHead != head || gotMid != mid || gotTail != tail {
			t.Errorf("split(%q) = %q, %q, %q, want %q, %q, %q", pattern, gotHead, gotMid, gotTail, head, mid, tail)
		}
	}
	f("", "", "", "")
	f("news", "news", "", "")
	f("news.*", "news.", "*", "")
	f("*.uk", "", "*", ".uk")
	f("a*b?c", "a", "*b?", "c")
	f("*", "", "*", "")
	f("*mid*", "", "*mid*", "")
	f(`a\*b*c\?d`, "a*b", "*", "c?d")
	f(`a\\*`, `a\`, "*", "")
	f(`*a\`, "", "*", `a\`)
	f(`\[a]*`, "[a]", "*", "")
	f("a[*]b", "a", "[*]", "b")
	f(`a[\]*]b`, "a", `[\]*]`, "b")
	f("a[]b", "a", "[]", "b")
	f("a[b*c", "a", "[b*c", "")
	f("]-^*]-^", "]-^", "*", "]-^")
}

// The index gives the answers of Match over all its patterns, whatever was added
// and removed before, and keeps its tries in order.
func TestIndexIsMatchOverAll(t *testing.T) {
	const rounds, patternsMax = 200, 300
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	alphabets := []string{"ab*", "abc*?[]^-\\", "aaaab*?", "a\x00\xff*[]-"}
	for range rounds {
		alphabet := alphabets[r.IntN(len(alphabets))]
		var x Index[string]
		model := map[string]bool{}
		size := r.IntN(patternsMax)
		for range 3 * size {
			p := randomString(r, alphabet, 8)
			if len(model) > r.IntN(size) {
				if r.IntN(2) == 0 {
					p = anyKey(model)
				}
				if x.Remove(p) != model[p] {
					t.Fatalf("Remove(%q) = %v", p, !model[p])
				}
				delete(model, p)
			} else {
				x.Add(p, p)
				model[p] = true
			}
		}
		checkTries(t, &x)
		if x.Len() != len(model) {
			t.Fatalf("Len() = %d, want %d", x.Len(), len(model))
		}
		for range 100 {
			channel := []byte(randomString(r, alphabet, 10))
			var want []string
			for p := range model {
				if Match([]byte(p), channel) {
					want = append(want, p)
				}
			}
			got := x.AppendMatches(nil, channel)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("%q is matched by %q, want %q", channel, got, want)
			}
		}
	}
}

func TestIndexRemoveLeavesNothing(t *testing.T) {
	const patterns, kept = 100_000, 10
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var x Index[int]
	model := map[string]bool{}
	for len(model) < patterns {
		p := randomString(r, "abcdefgh:*?[]\\", 20)
		x.Add(p, 0)
		model[p] = true
	}
	checkTries(t, &x)
	for p := range model {
		if len(model) == kept {
			break
		}
		x.Remove(p)
		delete(model, p)
	}
	checkTries(t, &x)
	for p := range model {
		x.Remove(p)
	}
	if !reflect.DeepEqual(x, Index[int]{}) {
		t.Errorf("not the zero Index after the last Remove: %+v", x)
	}
}

// A label that is part of a removed pattern's text would keep all of it.
func TestIndexRemoveFreesText(t *testing.T) {
	const textBytes, leftBytesMax = 4 << 20, 1 << 20
	var x Index[int]
	before := heapBytes()
	long := strings.Repeat("a", textBytes)
	removed := []string{long + "*", "*" + long, "b*" + long, "c*" + long + "*"}
	for _, p := range append(removed, "aab*", "aac*", "*baa", "*caa", "b*", "c*") {
		x.Add(p, 0)
	}
	for _, p := range removed {
		x.Remove(p)
	}
	long, removed = "", nil
	if left := heapBytes() - before; left > leftBytesMax {
		t.Errorf("%d bytes are left of patterns of %d", left, textBytes)
	}
	if got := x.AppendMatches(nil, []byte("aac")); len(got) != 1 {
		t.Errorf("AppendMatches = %v, want one", got)
	}
}

// triePlace is where a pattern is kept.
type triePlace struct {
	head, reversedTail, mid string
}

// checkTries checks what node promises, and that the tries hold each pattern of
// the index at its place and nothing else.
func checkTries[T any](t *testing.T, x *Index[T]) {
	t.Helper()
	want := map[triePlace]int{}
	for p := range x.All() {
		head, mid, tail := split(p)
		want[triePlace{head, reverse(tail), mid}]++
	}
	got := map[triePlace]int{}
	checkTrie(t, &x.heads, "", func(n *node[T], head string) {
		for e := n.entries; e != nil; e = e.next {
			got[triePlace{head, "", e.mid}]++
		}
		if n.tails == nil {
			return
		}
		if n.tails.isEmpty() {
			t.Errorf("head %q has an empty trie of tails", head)
		}
		checkTrie(t, n.tails, "", func(n *node[T], tail string) {
			if n.tails != nil {
				t.Errorf("tail %q has tails", tail)
			}
			for e := n.entries; e != nil; e = e.next {
				got[triePlace{head, tail, e.mid}]++
			}
		})
	})
	if !maps.Equal(got, want) {
		t.Errorf("the %d places in the tries are not those of the %d patterns", len(got), x.Len())
	}
}

// checkTrie checks the trie below n, whose key is given, and visits each node.
func checkTrie[T any](t *testing.T, n *node[T], key string, visit func(n *node[T], key string)) {
	t.Helper()
	if n.label == "" && key != "" {
		t.Errorf("%q: a second node without a label", key)
	}
	if n.label != "" && !n.inUse() && len(n.children) < 2 {
		t.Errorf("%q: not in use and %d children", key, len(n.children))
	}
	if len(n.edges) != len(n.children) {
		t.Fatalf("%q: %d edges, %d children", key, len(n.edges), len(n.children))
	}
	for i, child := range n.children {
		if child.label[0] != n.edges[i] || strings.Count(string(n.edges), string(n.edges[i:i+1])) != 1 {
			t.Errorf("%q: edges %q do not tell child %q", key, n.edges, child.label)
		}
		checkTrie(t, child, key+child.label, visit)
	}
	var before *entry[T]
	for e := n.entries; e != nil; before, e = e, e.next {
		if e.prev != before {
			t.Errorf("%q: entry %q has a wrong prev", key, e.mid)
		}
	}
	visit(n, key)
}

func randomString(r *rand.Rand, alphabet string, lengthMax int) string {
	b := make([]byte, r.IntN(lengthMax+1))
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

func anyKey(m map[string]bool) string {
	for k := range m {
		return k
	}
	return ""
}

func TestIndexAllocatesNothing(t *testing.T) {
	var x Index[int]
	for i := range 1000 {
		n := strconv.Itoa(i)
		x.Add("idle:"+n+":*", i)
		x.Add("*:idle:"+n, i)
		x.Add("user:*:"+n, i)
		x.Add(strings.Repeat("x", i%64)+"?", i)
	}
	x.Add("user:*", 1)
	matches := make([]int, 0, 8)
	f := func(channel string, want int) {
		t.Helper()
		name := []byte(channel)
		allocs := testing.AllocsPerRun(100, func() { matches = x.AppendMatches(matches[:0], name) })
		if allocs != 0 {
			t.Errorf("%q: %v allocations", channel, allocs)
		}
		if len(matches) != want {
			t.Errorf("%q: %d matches, want %d", channel, len(matches), want)
		}
	}
	f("room:42", 0)
	f("idle:7!", 0)
	f("idle:7:x", 1)
	f("user:1:77", 2)
	f("", 0)
}

// Under -race: readers may share the index.
func TestIndexConcurrentReaders(t *testing.T) {
	var x Index[int]
	for i := range 100 {
		x.Add("room:"+strconv.Itoa(i)+":*", i)
		x.Add("*:"+strconv.Itoa(i), i)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i := range 100 {
				n := strconv.Itoa(i)
				if got := x.AppendMatches(nil, []byte("room:"+n+":"+n)); len(got) != 2 {
					t.Errorf("room %d: %d matches, want 2", i, len(got))
				}
				x.Get("room:" + n + ":*")
			}
			for range x.All() {
			}
		})
	}
	readers.Wait()
}
