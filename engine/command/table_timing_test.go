package command

import "testing"

// BenchmarkFind is what dispatch adds to every command.
func BenchmarkFind(b *testing.B) {
	table := newTable(commands())
	for _, line := range []string{"PUBLISH room hello", "publish room hello", "PING", "CLIENT ID"} {
		w := words(line)
		b.Run(line, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c, _ := table.find(w); c == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
