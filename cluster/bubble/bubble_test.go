package bubble

import (
	"sync"
	"testing"
	"time"
)

// TestTimersAtOnce is what breaks the race detector on two processors, in less than a tenth of a second.
func TestTimersAtOnce(t *testing.T) {
	Test(t, func(t *testing.T) {
		var timers sync.WaitGroup
		for range 8 {
			timers.Go(func() {
				for range 10_000 {
					<-time.After(0)
				}
			})
		}
		timers.Wait()
	})
}
