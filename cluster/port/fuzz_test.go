package port

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"hubsub/cluster/port/porttest"
)

// What is understood of a greeting is understood again when it is said again.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte(`{"min":1,"max":1,"nonce":"AAAA","secret":true}`))
	f.Add([]byte(`{"greeting":{"cluster":"c","name":"n/1","leader_address":"a:1","members":3},"to":"m/2","refused":"wrong name","new":[1,{}]}`))
	f.Add([]byte(`{"greeting":null}`))
	f.Add([]byte("{\"greeting\":{\"name\":\"\xff\\ud800\"}}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		again(t, b, parseOpening)
		again(t, b, parse[hello])
		again(t, b, parse[answer])
	})
}

func again[T any](t *testing.T, b []byte, parse func([]byte) (T, error)) {
	v, err := parse(b)
	if err != nil {
		if !errors.Is(err, errMalformed) {
			t.Fatalf("%q: %v", b, err)
		}
		return
	}
	encoded := encode(v)
	w, err := parse(encoded)
	if err != nil || !reflect.DeepEqual(v, w) {
		t.Fatalf("%q: read %+v, then of %q %+v, %v", b, v, encoded, w, err)
	}
}

// Whatever strangers send, they get no connection that they have not asked for
// in order, and nobody else notices.
func FuzzAccept(f *testing.F) {
	o := encode(opening{Min: 1, Max: 1, Nonce: make([]byte, nonceBytes)})
	h := encode(hello{Greeting: Greeting{Cluster: "c1", Name: "n/1"}})
	valid := append(appendFrame([]byte{byte(Control)}, o), appendFrame(nil, h)...)
	f.Add(valid)
	f.Add(valid[:len(valid)/2])
	f.Add(appendFrame([]byte{byte(Hello)}, o))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add([]byte("C\xff\xff\xff\xff"))
	f.Add([]byte("C\x00\x00\x00\x00"))
	f.Add(bytes.Repeat([]byte{0}, 100))

	var fuzzed []func(t *testing.T, sent []byte)
	for _, secret := range []string{"", "s3cret"} {
		network := porttest.New()
		a := start(f, network.At(addressA), addressA, secret)
		b := start(f, network.At(addressB), addressB, secret)
		good, _, err := a.Dial(f.Context(), Control, addressB, addressB+"/1")
		if err != nil {
			f.Fatal(err)
		}
		fuzzed = append(fuzzed, func(t *testing.T, sent []byte) {
			raw, err := network.At(addressMiddle).Dial(t.Context(), addressB)
			if err != nil {
				t.Fatal(err)
			}
			raw.Write(sent)
			talks(t, good)
			raw.Close()
			if peer, err := a.Hello(t.Context(), addressB); err != nil || peer.Name != addressB+"/1" {
				t.Fatalf("%+v, %v", peer, err)
			}
			if s := b.Stats(); secret != "" && s.Refused[WrongCluster]+s.Refused[WrongName]+s.Refused[WrongKind] > 0 {
				t.Fatalf("a stranger's greeting was read: %+v", s)
			}
		})
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, f := range fuzzed {
			f(t, sent)
		}
	})
}
