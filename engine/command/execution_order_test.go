package command

import (
	"testing"

	"hubsub/engine"
)

// A SUBSCRIBE that is refused late, or whose rights were lost meanwhile, is over
// before the EXEC goes on to the next: that one is as any other.
func TestExecGoesOnAfterRefusedSubscribe(t *testing.T) {
	const noPermission = "-NOPERM this user has no permissions to access one of the channels used as arguments"
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		for _, fault := range []string{tryAgain, noPermission} {
			admin, c, pub := s.dial(), s.dial(), s.dial()
			admin.says("ACL SETUSER bob on nopass +@all allchannels", "+OK")
			c.says("AUTH bob x", "+OK")
			city.hold("no")
			city.hold("a")
			c.pipeline("MULTI", "SUBSCRIBE no", "SUBSCRIBE a", "EXEC")
			c.gets(lines("+OK", "+QUEUED", "+QUEUED"))
			city.awaits("no", 1)
			if fault == tryAgain {
				city.refuse("no", engine.TryAgain)
			} else {
				admin.says("ACL SETUSER bob resetchannels &a", "+OK")
			}
			city.release("no")
			city.awaits("a", 1)
			city.release("a")
			c.gets(lines("*2", fault, confirmed("subscribe", "a", 1)))
			city.refuse("no", engine.Done)
			city.wantInterest("0 a: 1")
			city.own("a", true)
			memory := s.engine.Stats().ClientMemory
			for range 100 {
				pub.says("PUBLISH a x", ":1")
				c.gets(message("a", "x"))
			}
			if now := s.engine.Stats().ClientMemory; now != memory {
				t.Errorf("the clients take %d bytes, and %d after all was delivered", memory, now)
			}
			city.own("a", false)
			for _, one := range []*client{admin, c, pub} {
				one.conn.Close()
			}
			city.wantInterest()
			eventually(t, "nothing is left", func() bool {
				st := s.engine.Stats()
				return st.Connections == 0 && st.Rooms == 0 && st.ClientMemory == 0
			})
		}
	})
}
