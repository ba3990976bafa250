package bench

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// progress is the line on a terminal that says how far a run is. It is rewritten in place and gone at the end. A nil
// progress, which is what anything but a terminal has, shows nothing. Owned by the run's goroutine.
type progress struct {
	fd       int
	columns  int
	pairs    int
	total    int           // measurements of the run
	done     int           // of them
	each     time.Duration // what one is planned to take
	began    time.Time     // the run
	measured time.Time     // the end of the last measurement

	head []byte        // the measurement under way
	next time.Duration // when a measurement under load may show something again
	line []byte        // reused
}

// newProgress returns the progress of a run that writes to w, nil if that is no terminal which can rewrite a line.
func newProgress(w io.Writer, pairs, servers int, each time.Duration) *progress {
	file, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return nil
	}
	fd := int(file.Fd())
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return nil
	}
	p := &progress{
		fd: fd, columns: defaultColumns, pairs: pairs, total: pairs * servers, each: each,
		began: time.Now(), measured: time.Now(),
	}
	if size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		p.columns = int(size.Col)
	}
	return p
}

// begin announces the measurement of a server in a pair, from 1.
func (p *progress) begin(pair int, server string) {
	if p == nil {
		return
	}
	p.head = p.head[:0]
	if p.pairs > 1 {
		p.head = append(p.head, "pair "+strconv.Itoa(pair)+" of "+strconv.Itoa(p.pairs)+"  "...)
	}
	p.head = append(p.head, printable(server)+"  "...)
	p.next = 0
	p.say("starting")
}

// say shows what is done before messages flow.
func (p *progress) say(what string) {
	if p == nil {
		return
	}
	p.line = append(append(p.line[:0], p.head...), what...)
	p.write()
}

// show shows how far a measurement is; the loop calls it in every turn. now is the time since its load began.
func (p *progress) show(now time.Duration, deliveries int64) {
	if p != nil && now >= p.next {
		p.update(now, deliveries)
	}
}

// update writes the line. It allocates nothing.
func (p *progress) update(now time.Duration, deliveries int64) {
	p.next = now + progressInterval
	b := append(p.line[:0], p.head...)
	b = appendSeconds(b, now)
	b = append(b, " of "...)
	b = appendSeconds(b, p.each)
	if now > 0 {
		b = append(b, "  "...)
		b = appendGrouped(b, int64(float64(deliveries)/now.Seconds()))
		b = append(b, " deliveries/s"...)
	}
	p.line = b
	p.write()
}

// wait waits for d, or until the context is done, and shows how far it is.
func (p *progress) wait(ctx context.Context, d time.Duration, what string) {
	if p == nil {
		sleepOr(ctx, d)
		return
	}
	for begin := time.Now(); ctx.Err() == nil; {
		waited := time.Since(begin)
		if waited >= d {
			return
		}
		p.line = append(append(p.line[:0], p.head...), what...)
		p.line = appendSeconds(append(p.line, ' '), waited)
		p.line = appendSeconds(append(p.line, " of "...), d)
		p.write()
		sleepOr(ctx, min(progressInterval, d-waited))
	}
}

// write adds how far the whole run is, and rewrites the terminal's line.
func (p *progress) write() {
	if p.total > 1 {
		elapsed := time.Since(p.began)
		b := append(p.line, "  (run: "...)
		b = appendSeconds(b, elapsed)
		b = append(b, " of about "...)
		b = appendSeconds(b, max(p.planned(), elapsed))
		p.line = append(b, ')')
	}
	p.line = cutRunes(p.line, p.columns-1) // a line that wraps cannot be rewritten
	p.line = append(p.line, "\x1b[K\r"...)
	unix.Write(p.fd, p.line)
}

// planned returns what the whole run should take, by the measurements that are done.
func (p *progress) planned() time.Duration {
	if p.done == 0 {
		return time.Duration(p.total) * p.each
	}
	return p.measured.Sub(p.began) / time.Duration(p.done) * time.Duration(p.total)
}

// end takes the line away: the measurement is over, and something else may be printed.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.done++
	p.measured = time.Now()
	unix.Write(p.fd, []byte("\r\x1b[K"))
}

// cutRunes returns the first n characters of b.
func cutRunes(b []byte, n int) []byte {
	at := 0
	for ; n > 0 && at < len(b); n-- {
		_, size := utf8.DecodeRune(b[at:])
		at += size
	}
	return b[:at]
}

// printable returns the text without what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// appendSeconds writes a duration as "1.2 s".
func appendSeconds(b []byte, d time.Duration) []byte {
	tenths := int64(d.Round(100*time.Millisecond) / (100 * time.Millisecond))
	b = strconv.AppendInt(b, tenths/10, 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, tenths%10, 10)
	return append(b, " s"...)
}
