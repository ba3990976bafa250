package bench

import (
	"fmt"
	"os"
	"testing"
)

// natsFolder is where the tests build the NATS server.
var natsFolder string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "hubsub-bench-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(folder)
		natsFolder = folder
		return m.Run()
	}())
}
