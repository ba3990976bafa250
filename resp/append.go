package resp

import (
	"math"
	"strconv"
)

// The functions here append one element of the protocol to dst and return it, as append does. Array, map, set and push heads
// are followed by their elements, which the caller appends.

// appendHead appends a type byte, a number and CRLF.
func appendHead(dst []byte, kind byte, n int) []byte {
	if uint(n) < 10 {
		return append(dst, kind, '0'+byte(n), '\r', '\n')
	}
	if uint(n) < 100 {
		return append(dst, kind, '0'+byte(n/10), '0'+byte(n%10), '\r', '\n')
	}
	dst = strconv.AppendInt(append(dst, kind), int64(n), 10)
	return append(dst, '\r', '\n')
}

// AppendInt appends an integer, ":n".
func AppendInt(dst []byte, n int64) []byte {
	return appendHead(dst, ':', int(n))
}

// AppendBulk appends a bulk string, "$4" and b.
func AppendBulk(dst, b []byte) []byte {
	dst = append(appendHead(dst, '$', len(b)), b...)
	return append(dst, '\r', '\n')
}

// BulkLen returns how many bytes AppendBulk appends for an argument of n bytes.
func BulkLen(n int) int {
	digits := 1
	for m := n; m >= 10; m /= 10 {
		digits++
	}
	return len("$") + digits + len("\r\n") + n + len("\r\n")
}

// AppendBulkString appends a bulk string, "$4" and s.
func AppendBulkString(dst []byte, s string) []byte {
	dst = append(appendHead(dst, '$', len(s)), s...)
	return append(dst, '\r', '\n')
}

// AppendSimple appends a simple string, "+s". s is the server's own text: it must not hold a line break.
func AppendSimple(dst []byte, s string) []byte {
	dst = append(append(dst, '+'), s...)
	return append(dst, '\r', '\n')
}

// AppendError appends an error, "-s". s begins with the error's code ("ERR no such thing") and may quote what a client sent: line
// breaks at its end are dropped and others become spaces, as in Redis.
func AppendError(dst []byte, s string) []byte {
	for len(s) > 0 && (s[len(s)-1] == '\r' || s[len(s)-1] == '\n') {
		s = s[:len(s)-1]
	}
	dst = append(dst, '-')
	start := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[start:] {
		if c == '\r' || c == '\n' {
			dst[start+i] = ' '
		}
	}
	return append(dst, '\r', '\n')
}

// AppendArray appends the head of an array of n elements, "*n".
func AppendArray(dst []byte, n int) []byte {
	return appendHead(dst, '*', n)
}

// AppendNullBulk appends RESP2's null, "$-1".
func AppendNullBulk(dst []byte) []byte {
	return append(dst, "$-1\r\n"...)
}

// AppendNullArray appends RESP2's null for what is otherwise an array, "*-1".
func AppendNullArray(dst []byte) []byte {
	return append(dst, "*-1\r\n"...)
}

// AppendNull3 appends RESP3's null, "_".
func AppendNull3(dst []byte) []byte {
	return append(dst, "_\r\n"...)
}

// AppendMap appends the head of a RESP3 map of n pairs, "%n". Its 2n elements are key, value, key, value, …
func AppendMap(dst []byte, n int) []byte {
	return appendHead(dst, '%', n)
}

// AppendSet appends the head of a RESP3 set of n elements, "~n".
func AppendSet(dst []byte, n int) []byte {
	return appendHead(dst, '~', n)
}

// AppendPush appends the head of a RESP3 push of n elements, ">n". The first is the name of the kind of push.
func AppendPush(dst []byte, n int) []byte {
	return appendHead(dst, '>', n)
}

// AppendBool3 appends a RESP3 boolean, "#t" or "#f".
func AppendBool3(dst []byte, b bool) []byte {
	if b {
		return append(dst, "#t\r\n"...)
	}
	return append(dst, "#f\r\n"...)
}

// AppendDouble3 appends a RESP3 double, ",3.5".
func AppendDouble3(dst []byte, f float64) []byte {
	dst = appendFloat(append(dst, ','), f)
	return append(dst, '\r', '\n')
}

// AppendVerbatim3 appends a RESP3 verbatim string, "=7", format, ":" and text. format has three bytes: "txt" or "mkd".
func AppendVerbatim3(dst []byte, format, text string) []byte {
	dst = appendHead(dst, '=', len(format)+1+len(text))
	dst = append(append(dst, format...), ':')
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

// appendFloat appends f in Redis 7.0's form: 17 significant digits, as C's %.17g, and inf, -inf, nan.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case math.IsNaN(f):
		return append(dst, "nan"...)
	}
	return strconv.AppendFloat(dst, f, 'g', 17, 64)
}
