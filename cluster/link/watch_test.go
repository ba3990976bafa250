package link

import (
	"golang.org/x/sys/unix"

	"hubsub/cluster/placement"
)

// watch is a loop that waits for one socket, as an engine's does for many.
func watch(_ placement.Name, fd int, ready func()) (stop func()) {
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-done:
				return
			default:
			}
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if n, _ := unix.Poll(fds, 10); n > 0 {
				ready()
			}
		}
	}()
	return func() {
		close(done)
		<-over
	}
}
