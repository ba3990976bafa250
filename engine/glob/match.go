package glob

import "bytes"

// Match reports whether pattern, a Redis glob, matches all of s. The time is
// bounded by len(pattern) * len(s), whatever the number of stars; doc.go tells
// the syntax and its edges.
func Match(pattern, s []byte) bool {
	return matchWhole(pattern, s, false)
}

// MatchFold is Match without regard to the case of ASCII letters: what CONFIG
// GET does. As in Redis an escaped byte in a class keeps its case, and the ends
// of a range are put in order before their case is folded, so that "[a-Z]",
// whose ends become z and a, matches nothing. Not as in Redis: ranges that end
// in a byte above 127 match as in Match, where Redis does what its C library's
// tolower makes of a negative char. No parameter has such bytes in its name.
func MatchFold(pattern, s []byte) bool {
	return matchWhole(pattern, s, true)
}

func matchWhole(pattern, s []byte, fold bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	return match(pattern, s, fold)
}

// match is the matcher without the exception for an empty s, so it serves for a
// part of a pattern and the part of a channel that is left for it.
//
// Only the last star met is ever given more bytes: if the rest of the pattern is
// found nowhere behind it, more bytes for an earlier star leave only less to
// search.
func match[P string | []byte](p P, s []byte, fold bool) bool {
	i, j := 0, 0
	star, from := -1, 0 // what follows the last star in p, and where in s it is tried
	for j < len(s) {
		if i < len(p) && p[i] == '*' {
			star, from = i+1, j
			if star == len(p) {
				return true
			}
		} else {
			if i < len(p) {
				if next, ok := matchByte(p, i, s[j], fold); ok {
					i, j = next, j+1
					continue
				}
			}
			if star < 0 {
				return false
			}
			from++
		}
		if !fold && isLiteral(p[star]) {
			skip := bytes.IndexByte(s[from:], p[star])
			if skip < 0 {
				return false
			}
			from += skip
		}
		i, j = star, from
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// isLiteral reports whether c stands for itself wherever an element may begin.
func isLiteral(c byte) bool {
	return c != '*' && c != '?' && c != '[' && c != '\\'
}

// matchByte matches c with the element of p at i, which is not a star, and
// returns where the next element begins.
func matchByte[P string | []byte](p P, i int, c byte, fold bool) (next int, ok bool) {
	switch p[i] {
	case '?':
		return i + 1, true
	case '[':
		return matchClass(p, i, c, fold)
	case '\\':
		if i+1 < len(p) {
			i++
		}
	}
	return i + 1, p[i] == c || fold && lower(p[i]) == lower(c)
}

// matchClass matches c with the class that opens at i.
func matchClass[P string | []byte](p P, i int, c byte, fold bool) (next int, ok bool) {
	i++
	negated := i < len(p) && p[i] == '^'
	if negated {
		i++
	}
	for i < len(p) && p[i] != ']' {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			ok = ok || p[i+1] == c
			i += 2
		case i+2 < len(p) && p[i+1] == '-':
			ok = ok || inRange(c, p[i], p[i+2], fold)
			i += 3
		default:
			ok = ok || p[i] == c || fold && lower(p[i]) == lower(c)
			i++
		}
	}
	if i < len(p) {
		i++ // the closing bracket
	}
	return i, ok != negated
}

func inRange(c, from, to byte, fold bool) bool {
	if int8(from) > int8(to) {
		from, to = to, from
	}
	if fold {
		c, from, to = lower(c), lower(from), lower(to)
	}
	return int8(from) <= int8(c) && int8(c) <= int8(to)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
