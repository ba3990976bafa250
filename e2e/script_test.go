package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The language of testdata/*.txt. doc.go shows it; this file reads it.

// A scenario is a conversation between some connections and one server, played on a fresh server.
type scenario struct {
	file       string // base name, without .txt
	title      string
	serverArgs []string // flags for both servers
	exchanges  []exchange
}

// An exchange is one send on one connection and all it causes on every open connection.
type exchange struct {
	line      int
	conn      string
	verb      verb
	commands  [][]string        // verb command and pipeline
	raw       []byte            // verb raw, bytewise and inline
	halfClose bool              // the sending side is closed with the last byte
	text      string            // as written, for messages and for normalisers that look at the command
	differs   string            // name of the intended difference, or ""
	answers   map[string][]byte // with differs: HubSub's exact bytes per connection; others get nothing
}

type verb int

const (
	verbCommand  verb = iota // one command as a multibulk
	verbPipeline             // several commands in one write
	verbRaw                  // bytes in one write
	verbBytewise             // bytes one by one, each in its own write
	verbOpen                 // connects and sends nothing; any other verb connects too when it is the first
	verbClose                // the whole connection, not only one side
	verbEnd                  // not a send: the server must have closed the connection by now
)

var (
	exchangeLine = regexp.MustCompile(`^([a-z][a-z0-9]*)(?: ([a-z-]+(?:, half-close)?))?(?:: ?(.*))?$`)
	differsLine  = regexp.MustCompile(`^differs ([a-z0-9-]+)(:?)$`)
	answerLine   = regexp.MustCompile(`^([a-z][a-z0-9]*) (.*)$`)
)

// readScenarios reads every scenario of a file.
func readScenarios(path string) ([]scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".txt")
	scenarios, err := parseScenarios(name, string(data))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return scenarios, nil
}

// parseScenarios reads the text of one file. An indented line belongs to the line above that opened the block.
func parseScenarios(file, text string) ([]scenario, error) {
	var all []scenario
	for i, line := range strings.Split(text, "\n") {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("line %d: %s", i+1, fmt.Sprintf(format, args...))
		}
		indented := strings.HasPrefix(line, "    ")
		body := strings.TrimSpace(line)
		if body == "" || strings.HasPrefix(body, "#") {
			continue
		}
		if title, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, scenario{file: file, title: title})
			continue
		}
		if len(all) == 0 {
			return nil, fail("a scenario begins with '== title'")
		}
		sc := &all[len(all)-1]
		var last *exchange
		if n := len(sc.exchanges); n > 0 {
			last = &sc.exchanges[n-1]
		}
		var err error
		switch {
		case indented && last == nil:
			err = fmt.Errorf("nothing above to belong to")
		case indented && last.answers != nil:
			err = last.addAnswer(body)
		case indented && last.verb == verbPipeline:
			err = last.addCommand(body)
		case indented:
			err = fmt.Errorf("the line above opens no block")
		case strings.HasPrefix(body, "server "):
			if last != nil {
				return nil, fail("server flags come first")
			}
			sc.serverArgs, err = splitWords(strings.TrimPrefix(body, "server "))
		case differsLine.MatchString(body):
			m := differsLine.FindStringSubmatch(body)
			if last == nil || last.differs != "" {
				return nil, fail("'differs' follows the exchange that differs")
			}
			last.differs = m[1]
			if m[2] == ":" {
				last.answers = map[string][]byte{}
			}
		default:
			var ex exchange
			if ex, err = parseExchange(body); err == nil {
				ex.line = i + 1
				sc.exchanges = append(sc.exchanges, ex)
			}
		}
		if err != nil {
			return nil, fail("%v", err)
		}
	}
	return all, nil
}

func parseExchange(body string) (exchange, error) {
	m := exchangeLine.FindStringSubmatch(body)
	if m == nil {
		return exchange{}, fmt.Errorf("not understood: %s", body)
	}
	ex := exchange{conn: m[1], text: body}
	form, halfClose := strings.CutSuffix(m[2], ", half-close")
	ex.halfClose = halfClose
	rest := m[3]
	switch form {
	case "":
		ex.verb = verbCommand
		return ex, ex.addCommand(rest)
	case "pipeline":
		ex.verb = verbPipeline
		return ex, nil
	case "inline":
		ex.verb, ex.raw = verbRaw, []byte(rest+"\r\n")
		return ex, nil
	case "raw", "bytewise":
		ex.verb = verbRaw
		if form == "bytewise" {
			ex.verb = verbBytewise
		}
		var err error
		ex.raw, err = joinWords(rest)
		return ex, err
	case "half-close":
		ex.verb, ex.halfClose = verbRaw, true
		return ex, nil
	case "open":
		ex.verb = verbOpen
		return ex, nil
	case "close":
		ex.verb = verbClose
		return ex, nil
	case "is-closed":
		ex.verb = verbEnd
		return ex, nil
	}
	return exchange{}, fmt.Errorf("unknown verb %q", form)
}

func (ex *exchange) addCommand(body string) error {
	words, err := splitWords(body)
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return fmt.Errorf("an empty command")
	}
	ex.commands = append(ex.commands, words)
	if ex.verb == verbPipeline {
		ex.text += "\n    " + body
	}
	return nil
}

func (ex *exchange) addAnswer(body string) error {
	m := answerLine.FindStringSubmatch(body)
	if m == nil {
		return fmt.Errorf("an answer is a connection and quoted bytes")
	}
	b, err := joinWords(m[2])
	ex.answers[m[1]] = append(ex.answers[m[1]], b...)
	return err
}

// bytes is what the exchange sends; lookup gives the value of a word like $a.id on the server it is sent to.
func (ex *exchange) bytes(lookup func(conn, what string) (string, error)) ([]byte, error) {
	if ex.commands == nil {
		return ex.raw, nil
	}
	var out []byte
	for _, words := range ex.commands {
		args := make([]string, len(words))
		for i, w := range words {
			args[i] = w
			conn, what, ok := strings.Cut(strings.TrimPrefix(w, "$"), ".")
			if !ok || !strings.HasPrefix(w, "$") {
				continue
			}
			value, err := lookup(conn, what)
			if err != nil {
				return nil, err
			}
			args[i] = value
		}
		out = appendCommand(out, args...)
	}
	return out, nil
}

// joinWords is splitWords for bytes that belong together: "*1\r\n" "$4\r\n".
func joinWords(s string) ([]byte, error) {
	words, err := splitWords(s)
	return []byte(strings.Join(words, "")), err
}

// splitWords splits as redis-cli does: blanks separate, "..." knows \n \r \t \b \a \xHH, '...' knows only \'.
// A quoted word may be repeated: "x"*1000.
func splitWords(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeft(s, " ")
		switch {
		case s == "":
			return words, nil
		case s[0] != '"' && s[0] != '\'':
			end := strings.IndexByte(s, ' ')
			if end < 0 {
				end = len(s)
			}
			words, s = append(words, s[:end]), s[end:]
			continue
		}
		word, rest, err := quoted(s)
		if err != nil {
			return nil, err
		}
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		if suffix := rest[:end]; suffix != "" {
			n, err := strconv.Atoi(strings.TrimPrefix(suffix, "*"))
			if err != nil || suffix[0] != '*' {
				return nil, fmt.Errorf("after a closing quote: want a blank or *N, got %q", suffix)
			}
			word = bytes.Repeat(word, n)
		}
		words, s = append(words, string(word)), rest[end:]
	}
}

// quoted reads the quoted word that s begins with and returns what follows it.
func quoted(s string) (word []byte, rest string, err error) {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return word, s[i+1:], nil
		case c != '\\' || i+1 == len(s):
			word = append(word, c)
		case quote == '\'':
			if s[i+1] == '\'' {
				i++
			}
			word = append(word, s[i])
		case s[i+1] == 'x' && i+3 < len(s):
			n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
			if err != nil {
				return nil, "", fmt.Errorf("bad escape %q", s[i:i+4])
			}
			word = append(word, byte(n))
			i += 3
		default:
			i++
			if k := strings.IndexByte("nrtba", s[i]); k >= 0 {
				word = append(word, "\n\r\t\b\a"[k])
			} else {
				word = append(word, s[i])
			}
		}
	}
	return nil, "", fmt.Errorf("unbalanced quotes in %s", s)
}
