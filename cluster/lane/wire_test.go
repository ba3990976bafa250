package lane

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// random is a record of a type with something in all that it has.
func random(r *rand.Rand, t Type) Record {
	text := func() []byte {
		b := make([]byte, r.IntN(20))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	key := func() Key {
		return Key{epoch(r.Uint64() >> r.IntN(64)), uint8(r.Uint32()), r.Uint64() >> r.IntN(64)}
	}
	has := partsOf[t]
	rec := Record{Type: t, Flags: uint8(r.Uint32()), Room: text()}
	set := func(p part, do func()) {
		if has&p != 0 {
			do()
		}
	}
	set(hasKey, func() { rec.Key = key() })
	set(hasPrev, func() { rec.Prev = key() })
	set(hasSerial, func() { rec.Serial = r.Uint64() })
	set(hasAttempt, func() { rec.Attempt = r.Uint64() })
	set(hasNumber, func() { rec.Number = r.Uint64() })
	set(hasIndex, func() { rec.Index = r.Uint64() })
	set(hasLife, func() { rec.Life = r.Uint64() })
	set(hasCount, func() { rec.Count = r.Int64() })
	set(hasChannel, func() { rec.Kind, rec.Channel = Kind(r.IntN(3)), text() })
	set(hasMessage, func() { rec.Message = text() })
	set(hasItems, func() {
		rec.Items = []Item{}
		for range r.IntN(4) {
			rec.Items = append(rec.Items, Item{Kind(r.IntN(3)), text(), r.Int64()})
		}
	})
	return rec
}

// What a record says arrives, whatever comes after it in its bytes, and whatever
// was in the record that it is read into.
func TestRecordsArrive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var got Record
	for i := range 10000 {
		want := random(r, Type(1+i%int(typeMax-1)))
		sent := AppendRecord([]byte("before"), &want)[len("before"):]
		if err := ParseRecord(append(sent, "of a later version"...), &got); err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if len(want.Items)+len(got.Items) == 0 {
			want.Items, got.Items = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nis sent, and arrives as\n%+v", want, got)
		}
		if room, err := RoomOf(sent); err != nil || !bytes.Equal(room, want.Room) {
			t.Fatalf("its room is %q, and not %q (%v)", room, want.Room, err)
		}
		for cut := range sent { // half a record is none
			if err := ParseRecord(sent[:cut], &got); err == nil {
				t.Fatalf("%d bytes of %d are a record: %+v", cut, len(sent), got)
			}
		}
	}
}

func TestRecordsOfLaterVersionsAreKnownAsSuch(t *testing.T) {
	var rec Record
	for _, c := range []struct {
		text string
		want error
	}{
		{"", ErrRecord}, {"\x00\x00\x00", ErrRecord}, {string([]byte{byte(typeMax), 0, 0}), ErrUnknown}, {"\xff\x00\x01r and more", ErrUnknown},
		{"\x02\x00\xff\xff\xff\xff\x0f", ErrRecord}, // a room that is longer than any
	} {
		if err := ParseRecord([]byte(c.text), &rec); err != c.want {
			t.Errorf("%q: %v", c.text, err)
		}
	}
}

// No bytes make it fail, or take more memory than they are.
func FuzzParseRecord(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 3))
	for t := Type(1); t < typeMax; t++ {
		rec := random(r, t)
		f.Add(AppendRecord(nil, &rec))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var rec, again Record
		if _, err := RoomOf(text); err != nil && ParseRecord(text, &rec) == nil {
			t.Fatal("a record without a room")
		}
		if ParseRecord(text, &rec) != nil {
			return
		}
		if err := ParseRecord(AppendRecord(nil, &rec), &again); err != nil {
			t.Fatalf("%+v: %v", rec, err)
		}
		if !bytes.Equal(AppendRecord(nil, &rec), AppendRecord(nil, &again)) {
			t.Fatalf("%+v\nbecomes\n%+v", rec, again)
		}
	})
}

// No record makes a lane fail.
func FuzzReceive(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 20 {
		var text []byte
		for range 8 {
			rec := random(r, Type(1+r.IntN(int(typeMax-1))))
			rec.Room = []byte("r")
			one := AppendRecord(nil, &rec)
			text = append(append(text, byte(len(one))), one...)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBench(t)
		b.hosts(5)
		b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
		var rec Record
		for i := 0; len(text) > 0; i++ {
			n := min(1+int(text[0]), len(text))
			if ParseRecord(text[1:n], &rec) == nil {
				b.Receive(5+Peer(i%2), &rec)
			}
			text = text[n:]
			b.Flush()
			b.Tick(b.now + retryInterval)
		}
	})
}
