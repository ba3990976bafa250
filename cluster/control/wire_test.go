package control

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"hubsub/cluster/placement"
)

// Every type of package placement that is a message has a tag, and one of its own.
func TestEveryMessageHasATag(t *testing.T) {
	files, err := filepath.Glob("../placement/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	declared := make(map[string]bool)
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "message" {
				declared[f.Recv.List[0].Type.(*ast.Ident).Name] = true
			}
		}
	}
	tags := make(map[string]bool)
	for _, k := range messages {
		if !declared[k.goType.Name()] || tags[k.tag] {
			t.Errorf("%v, tag %q: no message, or there twice", k.goType, k.tag)
		}
		delete(declared, k.goType.Name())
		tags[k.tag] = true
	}
	for name := range declared {
		t.Errorf("placement.%s has no tag", name)
	}
}

// fill sets all that is in v to something.
func fill(v reflect.Value, n *uint64) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("\xff\x00\"<é>%d", *n)) // a room may be called so
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Uint8:
		v.SetUint(*n % 4)
	case reflect.Uint32:
		v.SetUint(1<<32 - *n)
	case reflect.Uint64:
		v.SetUint(-*n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 3 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	default:
		panic(v.Type())
	}
}

// both returns a message with something in each field, and an empty one.
func both(k *kind) (full, empty placement.Message) {
	v := reflect.New(k.goType).Elem()
	empty = v.Interface().(placement.Message)
	n := uint64(len(k.tag))
	fill(v, &n)
	return v.Interface().(placement.Message), empty
}

func TestRoundTrip(t *testing.T) {
	var sent frames
	var want []placement.Message
	for _, k := range messages {
		full, empty := both(k)
		for _, m := range []placement.Message{full, empty} {
			if err := sent.add(m); err != nil {
				t.Fatal(err)
			}
			want = append(want, m)
		}
	}
	for name, from := range map[string]io.Reader{
		"at once":        bytes.NewReader(sent),
		"byte for byte":  iotest.OneByteReader(bytes.NewReader(sent)),
		"data with EOF":  iotest.DataErrReader(bytes.NewReader(sent)),
		"half at a time": iotest.HalfReader(bytes.NewReader(sent)),
	} {
		r := newReader(from)
		for i, want := range want {
			frame, err := r.next()
			if err != nil {
				t.Fatal(name, err)
			}
			got, err := decode(frame)
			for i := range frame {
				frame[i] = 'x' // as the next frame would
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s, message %d: %#v, %v; want %#v", name, i, got, err, want)
			}
		}
		if _, err := r.next(); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

func TestWireFormat(t *testing.T) {
	var f frames
	f.add(placement.Release{Attempt: placement.Attempt{Term: placement.Term{Generation: 1, Number: 2}, Number: 3}, Room: "r"})
	const want = "\x00\x00\x00\x47" + `{"t":"release","m":{"attempt":{"term":{"g":1,"n":2},"n":3},"room":"r"}}`
	if string(f) != want {
		t.Errorf("got  %q\nwant %q", f, want)
	}
}

func TestLongFrames(t *testing.T) {
	var f frames
	room := strings.Repeat("r", frameBytesMax-100)
	if err := f.add(placement.Reserve{Room: room}); err != nil {
		t.Fatal(err)
	}
	length := len(f)
	if err := f.add(placement.Reserve{Room: room + strings.Repeat("r", 100)}); err != errTooLong || len(f) != length {
		t.Fatalf("%v, %d bytes behind the first", err, len(f)-length)
	}
	f.add(placement.Reserve{Room: "short"})
	r := newReader(bytes.NewReader(f))
	for _, want := range []string{room, "short"} {
		frame, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if m, err := decode(frame); err != nil || m.(placement.Reserve).Room != want {
			t.Fatalf("%d bytes came as %v", len(want), err)
		}
	}

	// One that is only announced costs nothing.
	header := binary.BigEndian.AppendUint32(nil, frameBytesMax)
	r = newReader(bytes.NewReader(append(header, "{}"...)))
	if _, err := r.next(); err != io.ErrUnexpectedEOF || cap(r.long) > 4*readBufferBytes {
		t.Errorf("%v, %d bytes", err, cap(r.long))
	}
	header = binary.BigEndian.AppendUint32(nil, frameBytesMax+1)
	if _, err := newReader(bytes.NewReader(header)).next(); err != errMalformed {
		t.Error(err)
	}
}

func TestDecodeErrors(t *testing.T) {
	f := func(frame string, want error) {
		t.Helper()
		if m, err := decode([]byte(frame)); err != want {
			t.Errorf("%s: %v, %v", frame, m, err)
		}
	}
	f(`{"t":"asked in two years","m":{"a":[1,"x"]}}`, errUnknownTag)
	f(`{"t":"gone","m":{"term":{"g":1,"n":1},"later":[{}]},"later":1}`, nil)
	f(`{"m":{"later":1},"t":"leave"}`, nil)
	f(`{"t":"gone"}`, errMalformed)
	f(`{"m":{}}`, errMalformed)
	f(`{"t":"gone","m":[]}`, errMalformed)
	f(`{"t":"gone","m":{"term":{"g":-1}}}`, errMalformed)
	f(`{"t":"gone","m":{"term":{}}`, errMalformed)
	f(`{"t":"gone","m":{}} `+`x`, errMalformed)
	f(``, errMalformed)
	f(`null`, errMalformed)
}

// What is understood is understood again when it is said again, and a stream of
// any bytes ends.
func FuzzFrames(f *testing.F) {
	var all frames
	for _, k := range messages {
		full, empty := both(k)
		var one frames
		one.add(full)
		f.Add([]byte(one))
		all.add(empty)
	}
	f.Add([]byte(all))
	f.Add([]byte("\x00\x00\x00\x02{}\xff\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x19{\"t\":\"\\u0061sk\",\"m\":null}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newReader(bytes.NewReader(b))
		for {
			frame, err := r.next()
			if err != nil {
				return
			}
			m, err := decode(frame)
			if err != nil {
				if err != errMalformed && err != errUnknownTag {
					t.Fatal(err)
				}
				continue
			}
			var again frames
			if err := again.add(m); err != nil {
				t.Fatal(err)
			}
			n, err := decode(again[headerBytes:])
			if err != nil || !same(m, n) {
				t.Fatalf("%q is %#v, but %q %#v, %v", frame, m, again, n, err)
			}
		}
	})
}

// same is equality, but for lists that are empty or none.
func same(m, n placement.Message) bool {
	var a, b frames
	a.add(m)
	b.add(n)
	return reflect.DeepEqual(m, n) || reflect.TypeOf(m) == reflect.TypeOf(n) && len(a) == len(b)
}
