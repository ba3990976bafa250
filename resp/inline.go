package resp

import "bytes"

// inline is Next for a command that does not begin with '*': a line of words.
func (p *Parser) inline(buf []byte, cmd *Command, lim *Limits) (n int, err error) {
	end, fault := p.lineEnd(buf, '\n', lim, errInlineLine)
	if fault != nil {
		return 0, fault
	}
	if end < 0 {
		return 0, nil
	}
	p.Reset()
	if !cmd.split(bytes.TrimSuffix(buf[:end], []byte{'\r'})) {
		return 0, errInlineQuotes
	}
	return end + 1, nil
}

// Words splits a line as an inline command is split, and tells whether its quotes are balanced. Configuration files have lines of
// the same form. The words may share the line's memory.
func Words(line []byte) (words [][]byte, ok bool) {
	var cmd Command
	ok = cmd.split(line)
	return cmd.Args, ok
}

// split fills cmd with the words of line, which has no NUL byte, and tells whether its quotes are balanced. Words are separated
// by white space. A quote may open anywhere in a word, but what follows the closing one must be white space or nothing. Between
// double quotes \n \r \t \b \a and \xHH stand for a byte, and a backslash before any other byte for that byte; between single
// quotes only \' is special.
func (cmd *Command) split(line []byte) bool {
	cmd.Args, cmd.Raw, cmd.unquoted = cmd.Args[:0], nil, cmd.unquoted[:0]
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 {
			return true
		}
		n := bytes.IndexAny(line, " \t\r\n\"'")
		if n < 0 {
			n = len(line)
		}
		word := line[:n:n]
		line = line[n:]
		if len(line) > 0 && (line[0] == '"' || line[0] == '\'') {
			var ok bool
			if word, line, ok = cmd.unquote(word, line); !ok {
				return false
			}
		}
		cmd.Args = append(cmd.Args, word)
	}
}

// unquote gives the word that consists of prefix and the quoted text that line begins with, and the rest of the line. When
// cmd.unquoted grows, the words decoded before stay where they are: in the old array.
func (cmd *Command) unquote(prefix, line []byte) (word, rest []byte, ok bool) {
	quote, line := line[0], line[1:]
	start := len(cmd.unquoted)
	text := append(cmd.unquoted, prefix...)
	for {
		switch {
		case len(line) == 0:
			return nil, nil, false
		case line[0] == quote:
			cmd.unquoted = text
			rest = line[1:]
			return text[start:len(text):len(text)], rest, len(rest) == 0 || isSpace(rest[0])
		case quote == '"' && len(line) >= 4 && line[0] == '\\' && line[1] == 'x' && isHex(line[2]) && isHex(line[3]):
			text = append(text, hexValue(line[2])<<4|hexValue(line[3]))
			line = line[4:]
		case quote == '"' && len(line) >= 2 && line[0] == '\\':
			text = append(text, unescape(line[1]))
			line = line[2:]
		case quote == '\'' && len(line) >= 2 && line[0] == '\\' && line[1] == '\'':
			text = append(text, '\'')
			line = line[2:]
		default:
			text = append(text, line[0])
			line = line[1:]
		}
	}
}

// unescape gives the byte that a backslash and c stand for.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

// isSpace tells whether C's isspace holds for c in the C locale, in which Redis runs.
func isSpace(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// hexValue gives the value of a hexadecimal digit.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
