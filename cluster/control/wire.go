package control

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unsafe"

	"github.com/bytedance/sonic"
	"github.com/bytedance/sonic/encoder"

	"hubsub/cluster/placement"
)

// messages are all types of messages and their tags, which never change.
var messages = []*kind{
	of[placement.Ask]("ask"),
	of[placement.Told]("told"),
	of[placement.Reserve]("reserve"),
	of[placement.Reserved]("reserved"),
	of[placement.Release]("release"),
	of[placement.Activate]("activate"),
	of[placement.Activated]("activated"),
	of[placement.Drop]("drop"),
	of[placement.Idle]("idle"),
	of[placement.MayClose]("mayclose"),
	of[placement.Vote]("vote"),
	of[placement.Reopen]("reopen"),
	of[placement.Gone]("gone"),
	of[placement.Unsure]("unsure"),
	of[placement.Holding]("holding"),
	of[placement.List]("list"),
	of[placement.Listed]("listed"),
	of[placement.Scan]("scan"),
	of[placement.Scanned]("scanned"),
	of[placement.Join]("join"),
	of[placement.Leave]("leave"),
	of[placement.Roster]("roster"),
}

var (
	kindByType = make(map[reflect.Type]*kind)
	kindByTag  = make(map[string]*kind)
)

func init() {
	for _, k := range messages {
		kindByType[k.goType], kindByTag[k.tag] = k, k
	}
}

// kind is one type of messages.
type kind struct {
	tag    string
	head   string // of its frames
	goType reflect.Type
	decode func(json string) (placement.Message, error)
}

func of[M placement.Message](tag string) *kind {
	return &kind{
		tag:    tag,
		head:   `{"t":"` + tag + `","m":`,
		goType: reflect.TypeFor[M](),
		decode: func(json string) (placement.Message, error) {
			var m M
			err := reading.UnmarshalFromString(json, &m)
			return m, err
		},
	}
}

// reading copies strings out of the buffer that they came in. Nothing looks
// whether they are UTF-8: names of rooms are any bytes.
var reading = sonic.Config{CopyString: true}.Froze()

// envelope is a frame's JSON. Both parts lie in the frame's buffer.
type envelope struct {
	Tag     string                 `json:"t"`
	Message sonic.NoCopyRawMessage `json:"m"`
}

var (
	errMalformed  = errors.New("malformed frame")
	errUnknownTag = errors.New("unknown tag")
	errTooLong    = errors.New("message too long")
)

const headerBytes = 4

// frames are messages as they go on the wire, one behind the other.
type frames []byte

// add appends a message.
func (f *frames) add(m placement.Message) error {
	k := kindByType[reflect.TypeOf(m)]
	if k == nil {
		panic(fmt.Sprintf("control: %T has no tag", m))
	}
	start := len(*f)
	*f = append(*f, 0, 0, 0, 0)
	*f = append(*f, k.head...)
	if err := encoder.EncodeInto((*[]byte)(f), m, 0); err != nil {
		panic(fmt.Sprintf("control: cannot encode %T: %v", m, err)) // nothing in messages is too much for JSON
	}
	*f = append(*f, '}')
	length := len(*f) - start - headerBytes
	if length > frameBytesMax {
		*f = (*f)[:start]
		return errTooLong
	}
	binary.BigEndian.PutUint32((*f)[start:], uint32(length))
	return nil
}

// decode returns the message of a frame, which it does not keep. The error is
// errUnknownTag or errMalformed.
func decode(frame []byte) (placement.Message, error) {
	var e envelope
	if err := sonic.ConfigDefault.UnmarshalFromString(view(frame), &e); err != nil || e.Tag == "" {
		return nil, errMalformed
	}
	k := kindByTag[e.Tag]
	if k == nil {
		return nil, errUnknownTag
	}
	m, err := k.decode(view(e.Message))
	if err != nil {
		return nil, errMalformed // its own words quote what came
	}
	return m, nil
}

// view is b as a string, for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// reader takes frames off a connection.
type reader struct {
	from *bufio.Reader
	long []byte // of the frame that the buffer is too small for
}

func newReader(r io.Reader) *reader {
	return &reader{from: bufio.NewReaderSize(r, readBufferBytes)}
}

// next returns the JSON of a frame, which stays until next is called again. A
// long one gets memory as it comes, not as it is announced.
func (r *reader) next() ([]byte, error) {
	r.long = nil
	header, err := r.from.Peek(headerBytes)
	if err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header)
	if length > frameBytesMax {
		return nil, errMalformed
	}
	n := int(length)
	r.from.Discard(headerBytes)
	if n <= r.from.Size() {
		b, err := r.from.Peek(n)
		r.from.Discard(len(b))
		return b, err
	}
	for len(r.long) < n {
		have := len(r.long)
		part := min(n-have, max(have, readBufferBytes))
		r.long = append(r.long, make([]byte, part)...)
		if _, err := io.ReadFull(r.from, r.long[have:]); err != nil {
			return nil, err
		}
	}
	return r.long, nil
}
