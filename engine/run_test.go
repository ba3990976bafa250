package engine

import (
	"bytes"
	"strings"
	"testing"

	"hubsub/resp"
)

// A frame is the same whether the command came as Redis's clients send it, in
// which case its bytes are taken over, or had to be encoded.
func TestAppendFrame(t *testing.T) {
	f := func(kind Kind, verb, channel, message string) {
		t.Helper()
		want := encode(verbs[kind], channel, message)
		cmd := resp.Command{Args: [][]byte{[]byte(verb), []byte(channel), []byte(message)}}
		if got := appendFrame([]byte("before"), kind, &cmd); string(got) != "before"+string(want) {
			t.Errorf("encoded: %q", got)
		}
		cmd.Raw = encode(verb, channel, message)
		if got := appendFrame([]byte("before"), kind, &cmd); string(got) != "before"+string(want) {
			t.Errorf("taken over: %q", got)
		}
		if payload, n := frame(want, frameHead(kind, channel)); string(payload) != message || n != len(want) {
			t.Errorf("frame of %q: payload %q, length %d", want, payload, n)
		}
	}
	f(Channel, "PUBLISH", "news", "hello")
	f(Channel, "pUbLiSh", "", "")
	f(Shard, "SPUBLISH", "news", strings.Repeat("x", 100))
	f(Shard, "spublish", "*3\r\n$7\r\n", "\r\n$1\r\n")
}

func TestParcelTwinAndPattern(t *testing.T) {
	messages := []string{"a", "", "*3\r\n", strings.Repeat("long", 1000)}
	r := &run{channel: &channel{kind: Channel, name: "news"}}
	var pushes, pmessages []byte
	for _, m := range messages {
		r.data = append(r.data, encode("message", "news", m)...)
		r.frames++
		pushes = append(pushes, ">"...)
		pushes = append(pushes, encode("message", "news", m)[1:]...)
		pmessages = append(pmessages, encode("pmessage", "n*", "news", m)...)
	}
	before := bytes.Clone(r.data)
	l := &loop{}
	p := r.parcel()
	if got := l.bytes(&p, true); !bytes.Equal(got, pushes) {
		t.Errorf("RESP3: %q", got)
	}
	if got := l.bytes(&p, false); !bytes.Equal(got, before) {
		t.Errorf("RESP2: %q", got)
	}
	pp := l.forPattern(&p, &pattern{name: "n*"}, "news")
	if got := l.bytes(&pp, false); !bytes.Equal(got, pmessages) || pp.frames != len(messages) {
		t.Errorf("pattern: %d frames %q", pp.frames, got)
	}
	var one [][]byte
	p.split(func(f parcel) { one = append(one, f.forms[0].bytes) })
	if len(one) != len(messages) || !bytes.Equal(bytes.Join(one, nil), before) {
		t.Errorf("split: %q", one)
	}
}
