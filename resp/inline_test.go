package resp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestInline(t *testing.T) {
	f := reads(t, DefaultLimits())

	f("PING\r\n", `["PING"]`)
	f("PING\n", `["PING"]`)
	f("PING\r\r\n", `["PING"]`)
	f("PUBLISH room hi\r\nPING\n", `["PUBLISH" "room" "hi"] ["PING"]`)
	f(" \t PING \v a \f\r\n", `["PING" "a"]`)
	f("$4\r\nPING\r\n", `["$4"] ["PING"]`)

	// Lines without words.
	f("\r\n", `[]`)
	f("\n", `[]`)
	f("\r\r\n", `[]`)
	f(" \t\v\f\r \r\n", `[]`)
	f("\n\nPING\n", `[] [] ["PING"]`)

	// Any byte may stand in a word but NUL and white space; \v and \f are white space before a word only, or after a quote.
	f("ECHO \x01\x7f\x80\x85\xa0\xff é\\n\r\n", `["ECHO" "\x01\x7f\x80\x85\xa0\xff" "é\\n"]`)
	f("ECHO a\vb\fc\r\n", `["ECHO" "a\vb\fc"]`)
	f("\vPING\f\r\n", `["PING\f"]`)
	f("ECHO a\rb\tc d\r\n", `["ECHO" "a" "b" "c" "d"]`)
	f("ECHO \"a\"\vb\r\n", `["ECHO" "a" "b"]`)
}

func TestInlineQuotes(t *testing.T) {
	f := reads(t, DefaultLimits())

	f("ECHO \"a b\"\r\n", `["ECHO" "a b"]`)
	f("ECHO 'a b'\r\n", `["ECHO" "a b"]`)
	f("ECHO \"\" ''\r\n", `["ECHO" "" ""]`)
	f("\"\"\r\n", `[""]`)
	f("\"ECHO\" \"a\" 'b' c\r\n", `["ECHO" "a" "b" "c"]`)
	f("ECHO a\"b c\" d'e f'\r\n", `["ECHO" "ab c" "de f"]`)
	f("ECHO \"a\rb\tc\"\r\n", `["ECHO" "a\rb\tc"]`)
	f("ECHO \"it's\" 'say \"a\"'\r\n", `["ECHO" "it's" "say \"a\""]`)

	f(`ECHO "\n\r\t\b\a"`+"\n", `["ECHO" "\n\r\t\b\a"]`)
	f(`ECHO "\\\"\q\'"`+"\n", `["ECHO" "\\\"q'"]`)
	f(`ECHO "\x41\x4a\x4A\x00\xff\xFe"`+"\n", `["ECHO" "AJJ\x00\xff\xfe"]`)
	f(`ECHO "\x" "\x4" "\x4g" "\xg4" "\xZZ" "\X41"`+"\n", `["ECHO" "x" "x4" "x4g" "xg4" "xZZ" "X41"]`)
	f(`ECHO "\x/0\x:0\x@0\xG0"`+"\n", `["ECHO" "x/0x:0x@0xG0"]`)
	f(`ECHO 'a\'b\n\\\"\x41'`+"\n", `["ECHO" "a'b\\n\\\\\\\"\\x41"]`)

	const unbalanced = "Protocol error: unbalanced quotes in request"
	for _, s := range []string{`"`, `'`, `"a`, `'a`, `a"`, `a'`, `"a"b`, `'a'b`, `a"b"c`, `"a""b"`, `'a''b'`, `"a"'b'`, `"a\"`, `'a\'`, `"a\`,
		`'a\`, `"\x4`, `"\x`, `"" "`, `'a"`} {
		f("ECHO "+s+"\r\n", unbalanced)
		f("PING\r\nECHO "+s+"\n", `["PING"] `+unbalanced)
	}
}

// Words of any bytes come back out of their quoted form.
func TestInlineQuotesRoundTrip(t *testing.T) {
	f := reads(t, DefaultLimits())
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var line, want []string
		for range 1 + random.IntN(5) {
			var quoted, word strings.Builder
			for range random.IntN(12) {
				c := byte(random.IntN(256))
				word.WriteByte(c)
				if c < ' ' || c == '"' || c == '\\' || random.IntN(4) == 0 {
					fmt.Fprintf(&quoted, `\x%02x`, c)
				} else {
					quoted.WriteByte(c)
				}
			}
			line = append(line, `"`+quoted.String()+`"`)
			want = append(want, fmt.Sprintf("%q", word.String()))
		}
		f(strings.Join(line, " ")+"\r\n", "["+strings.Join(want, " ")+"]")
	}
}
