package e2e

import "testing"

// The comparison itself: what it accepts and, more to the point, what it notices.
func TestOrderNotices(t *testing.T) {
	m := func(l lane, publisher uint16, seq uint32) message { return message{l, publisher, seq} }
	all := order{0, []message{m(laneChat, 1, 1), m(laneTyping, 2, 1), m(laneChat, 2, 2), m(laneChat, 1, 2), m(laneChat, 3, 1)}}
	chat := []lane{laneChat}
	whole := func(wantOK bool, got ...message) {
		t.Helper()
		if err := all.wantWhole("x", chat, got); (err == nil) != wantOK {
			t.Errorf("wantWhole(%v) = %v", got, err)
		}
	}
	whole(true, m(laneChat, 1, 1), m(laneChat, 2, 2), m(laneChat, 1, 2), m(laneChat, 3, 1))
	whole(false, m(laneChat, 1, 1), m(laneChat, 1, 2), m(laneChat, 2, 2), m(laneChat, 3, 1))
	whole(false, m(laneChat, 1, 1), m(laneChat, 2, 2), m(laneChat, 1, 2))
	whole(false, m(laneChat, 1, 1), m(laneChat, 1, 1), m(laneChat, 2, 2), m(laneChat, 1, 2), m(laneChat, 3, 1))
	whole(false, m(laneChat, 1, 1), m(laneTyping, 2, 1), m(laneChat, 2, 2), m(laneChat, 1, 2), m(laneChat, 3, 1))
	whole(false)
	piece := func(wantOK bool, got ...message) {
		t.Helper()
		if err := all.wantPiece("x", chat, got); (err == nil) != wantOK {
			t.Errorf("wantPiece(%v) = %v", got, err)
		}
	}
	piece(true)
	piece(true, m(laneChat, 2, 2), m(laneChat, 1, 2))
	piece(true, m(laneChat, 3, 1))
	piece(false, m(laneChat, 1, 1), m(laneChat, 1, 2))
	piece(false, m(laneChat, 1, 2), m(laneChat, 2, 2))
	piece(false, m(laneChat, 3, 1), m(laneChat, 3, 1))
	piece(false, m(laneTyping, 2, 1))
}
