package resp

// Writer appends answers in the protocol that a client chose. Fields may be read, set and replaced at any time: a Writer is its
// two fields and nothing else. Arrays, maps, sets and pushes are heads: their elements follow by further calls.
type Writer struct {
	Buf []byte // what was written
	V3  bool   // RESP3, after HELLO 3; otherwise RESP2
}

// Int writes an integer.
func (w *Writer) Int(n int64) { w.Buf = AppendInt(w.Buf, n) }

// Bulk writes a bulk string.
func (w *Writer) Bulk(b []byte) { w.Buf = AppendBulk(w.Buf, b) }

// BulkString writes a bulk string.
func (w *Writer) BulkString(s string) { w.Buf = AppendBulkString(w.Buf, s) }

// Simple writes a simple string; s must not hold a line break.
func (w *Writer) Simple(s string) { w.Buf = AppendSimple(w.Buf, s) }

// OK writes the simple string OK.
func (w *Writer) OK() { w.Buf = append(w.Buf, "+OK\r\n"...) }

// Error writes an error; s begins with the error's code and may hold anything after it, see AppendError.
func (w *Writer) Error(s string) { w.Buf = AppendError(w.Buf, s) }

// Array begins an array of n elements.
func (w *Writer) Array(n int) { w.Buf = AppendArray(w.Buf, n) }

// Raw writes bytes that are in the client's protocol already.
func (w *Writer) Raw(b []byte) { w.Buf = append(w.Buf, b...) }

// Map begins a map of n pairs; RESP2: an array of 2n elements.
func (w *Writer) Map(n int) {
	if w.V3 {
		w.Buf = AppendMap(w.Buf, n)
	} else {
		w.Buf = AppendArray(w.Buf, 2*n)
	}
}

// Set begins a set of n elements; RESP2: an array.
func (w *Writer) Set(n int) {
	if w.V3 {
		w.Buf = AppendSet(w.Buf, n)
	} else {
		w.Buf = AppendArray(w.Buf, n)
	}
}

// Push begins a push of n elements; RESP2: an array.
func (w *Writer) Push(n int) {
	if w.V3 {
		w.Buf = AppendPush(w.Buf, n)
	} else {
		w.Buf = AppendArray(w.Buf, n)
	}
}

// Null writes a null; RESP2: a null bulk string.
func (w *Writer) Null() {
	if w.V3 {
		w.Buf = AppendNull3(w.Buf)
	} else {
		w.Buf = AppendNullBulk(w.Buf)
	}
}

// NullArray writes a null where an array is expected; RESP2: a null array.
func (w *Writer) NullArray() {
	if w.V3 {
		w.Buf = AppendNull3(w.Buf)
	} else {
		w.Buf = AppendNullArray(w.Buf)
	}
}

// Bool writes a boolean; RESP2: the integer 1 or 0.
func (w *Writer) Bool(b bool) {
	switch {
	case w.V3:
		w.Buf = AppendBool3(w.Buf, b)
	case b:
		w.Buf = append(w.Buf, ":1\r\n"...)
	default:
		w.Buf = append(w.Buf, ":0\r\n"...)
	}
}

// Double writes a floating point number; RESP2: a bulk string.
func (w *Writer) Double(f float64) {
	if w.V3 {
		w.Buf = AppendDouble3(w.Buf, f)
		return
	}
	var text [32]byte // the longest has 24 bytes
	w.Buf = AppendBulk(w.Buf, appendFloat(text[:0], f))
}

// Verbatim writes text with its format, "txt" or "mkd"; RESP2: a bulk string of the text alone.
func (w *Writer) Verbatim(format, text string) {
	if w.V3 {
		w.Buf = AppendVerbatim3(w.Buf, format, text)
	} else {
		w.Buf = AppendBulkString(w.Buf, text)
	}
}
