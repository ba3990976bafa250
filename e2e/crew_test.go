package e2e

import (
	"sync"
	"testing"
)

// crew runs the goroutines of a load test and reports the errors they return, a few of them at most.
type crew struct {
	t      *testing.T
	wg     sync.WaitGroup
	mu     sync.Mutex
	failed int
}

// shownErrors bounds the report: when one client goes wrong in a load test, hundreds do.
const shownErrors = 10

func (c *crew) run(work func() error) {
	c.wg.Go(func() { c.report(work()) })
}

func (c *crew) report(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed++; c.failed <= shownErrors {
		c.t.Error(err)
	}
}

// wait returns when all work is done.
func (c *crew) wait() { c.wg.Wait() }
