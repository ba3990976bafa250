package engine

import (
	"bytes"

	"hubsub/resp"
)

// execute runs the commands in what a session has sent. Bytes of a command
// that is not complete move to the session's own buffer, which grows by what
// has arrived, never by what was announced.
func (l *loop) execute(s *Session, data []byte) {
	if s.has(lastAnswer) || l.deaf {
		return
	}
	if l.mustPause(s) {
		l.pause(s)
	}
	p := s.partial.Load()
	if p == nil {
		l.parser.Reset()
		rest := l.commands(s, &l.parser, data)
		if len(rest) > 0 && !s.has(lastAnswer) {
			p = &partial{parser: l.parser, buf: bytes.Clone(rest)}
			s.partial.Store(p)
			l.checkQuery(s, p)
		}
		return
	}
	p.buf = append(p.buf, data...)
	rest := l.commands(s, &p.parser, p.buf)
	if len(rest) == 0 || s.has(lastAnswer) {
		s.forgetPartial()
		l.command, l.rest = resp.Command{}, nil // they hold on to the buffer
		return
	}
	if cap(p.buf) > readBufferBytes {
		l.command, l.rest = resp.Command{}, nil
	}
	if len(rest) < len(p.buf) {
		if cap(p.buf) > readBufferBytes && len(rest) < cap(p.buf)/4 {
			p.buf = bytes.Clone(rest)
		} else {
			p.buf = append(p.buf[:0], rest...)
		}
	}
	l.checkQuery(s, p)
}

// commands executes the complete commands at the beginning of buf and returns
// what is left.
func (l *loop) commands(s *Session, parser *resp.Parser, buf []byte) (rest []byte) {
	live := l.engine.settings.Load()
	for len(buf) > 0 && !s.has(lastAnswer|waiting) {
		limits := &live.limits
		if !live.Open && !s.has(authenticated) {
			limits = &live.strictLimits
		}
		n, err := parser.Next(buf, &l.command, limits)
		if s.has(expecting) && (err != nil || n > 0 && !s.mayExecute(&l.command)) {
			parser.Reset() // it is parsed again then
			l.stall(s)
			break
		}
		if err != nil {
			s.Settle()
			s.Reply().Error("ERR " + err.Error())
			s.reason = closedByProtocolError
			s.Finish()
			return nil
		}
		if n == 0 {
			break
		}
		buf = buf[n:]
		if len(l.command.Args) > 0 {
			l.tally.commands++
			l.rest, l.limits = buf, limits
			l.engine.handler.Execute(s, &l.command)
			buf = l.rest
			if len(s.out.Buf) > answersBytesMax && !s.has(lastAnswer) {
				l.pause(s)
			}
		}
	}
	return buf
}

// checkQuery closes a session whose unfinished command, or what waits to be
// executed while the session waits, is too long.
func (l *loop) checkQuery(s *Session, p *partial) {
	n := len(p.buf)
	l.engine.clientMemory.Add(int64(n) - p.bytes.Swap(int64(n)))
	if n > l.engine.settings.Load().QueryBufferBytes {
		l.doom(s, closedByQueryBuffer)
	}
}
