package e2e

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A volatile is a part of an answer that differs between two servers, or between two runs of one, and says nothing
// about either. Both sides are normalised alike before they are compared, in the order of the table: what looks at
// whole replies comes before what leaves none.
type volatile struct {
	name   string
	reason string
	when   *regexp.Regexp // looks at the exchange as written; nil: every exchange
	apply  func([]byte) []byte
}

var volatiles = []volatile{
	{
		name:   "info",
		reason: "figures and names of two servers; what clients decide by stays",
		when:   regexp.MustCompile(`(?im)(: |^ +)INFO\b`),
		apply:  normaliseInfo,
	},
	{
		name:   "hello-id",
		reason: "ids are given in the order of accepting, over all loops; Redis gives some to itself",
		apply:  replacer(`(\$2\r\nid\r\n):\d+\r\n`, "$1:~\r\n"),
	},
	{
		name:   "hello-version",
		reason: "HubSub says which Redis version's commands it follows, not the one it is compared with",
		apply:  replacer(`(\$7\r\nversion\r\n)\$\d+\r\n[0-9.]+\r\n`, "$1~\r\n"),
	},
	{
		name:   "client-id",
		reason: "as hello-id",
		when:   regexp.MustCompile(`(?im) CLIENT ID$`),
		apply:  replacer(`:\d+\r\n`, ":~\r\n"),
	},
	{
		name:   "channel-list-order",
		reason: "PUBSUB CHANNELS and SHARDCHANNELS answer in the order of a hash table",
		when:   regexp.MustCompile(`(?i)\bPUBSUB (SHARD)?CHANNELS`),
		apply:  sortLists,
	},
	{
		name:   "unsubscribe-order",
		reason: "an UNSUBSCRIBE without names confirms in the order of a hash table; the counts keep their places",
		when:   regexp.MustCompile(`(?im)\b[PS]?UNSUBSCRIBE$`),
		apply:  sortConfirmations,
	},
	{
		name:   "pattern-order",
		reason: "the patterns of one client that match a message are told in the order of a hash table",
		apply:  sortPatterns,
	},
	{
		name:   "command-order",
		reason: "COMMAND LIST, COMMAND INFO of a container, and ACL CAT of a category list names in the order of a hash table",
		when:   regexp.MustCompile(`(?i)\b(COMMAND (INFO pubsub$|LIST)|ACL CAT )`),
		apply:  sortDeep,
	},
	{
		name:   "config-order",
		reason: "CONFIG GET with a pattern or several names answers in the order of a hash table",
		when:   regexp.MustCompile(`(?i)\bCONFIG GET`),
		apply:  sortPairs,
	},
	{
		name:   "client-lines",
		reason: "ids, addresses, ages and memory of a client; the order of the list; fields of 7.2 and later",
		apply:  normaliseClientLines,
	},
	{
		name:   "acl-log",
		reason: "ages, and of a client what client-lines says",
		when:   regexp.MustCompile(`(?i)\bACL LOG\b`),
		apply:  replacer(`(age-seconds\r\n)(?:\$\d+\r\n|,)[0-9.e-]+\r\n(\$11\r\nclient-info\r\n)\$\d+\r\nid=[^\r]*( cmd=\S* user=\S*)[^\r]*\r\n`, "$1~\r\n$2~$3\r\n"),
	},
	{
		name:   "time",
		reason: "the clock goes on between two answers",
		when:   regexp.MustCompile(`(?i)\bTIME\b`),
		apply:  replacer(`\*2\r\n\$10\r\n\d{10}\r\n\$\d\r\n\d{1,6}\r\n`, "~"),
	},
}

// normalise replaces what is volatile in the answer to the exchange with that text.
func normalise(text string, answer []byte) []byte {
	for _, v := range volatiles {
		if v.when == nil || v.when.MatchString(text) {
			answer = v.apply(answer)
		}
	}
	return answer
}

func replacer(pattern, with string) func([]byte) []byte {
	re := regexp.MustCompile(pattern)
	return func(b []byte) []byte { return re.ReplaceAll(b, []byte(with)) }
}

var (
	clientLines  = regexp.MustCompile(`([$=])\d+\r\n((?:txt:)?)((?:id=\d+ [^\n]*\n)+)\r\n`)
	clientValues = regexp.MustCompile(`\b(id|l?addr|fd|age|idle|qbuf|qbuf-free|argv-mem|multi-mem|rbs|rbp|obl|oll|omem|tot-mem)=\S*`)
	clientLater  = regexp.MustCompile(` (watch|lib-name|lib-ver|io-thread)=[^ \n]*`)
)

// normaliseClientLines sorts the lines of CLIENT LIST and INFO, leaves the harness out and keeps of each client what
// it is: name, database, flags, subscriptions, command, user, protocol.
func normaliseClientLines(b []byte) []byte {
	return clientLines.ReplaceAllFunc(b, func(answer []byte) []byte {
		m := clientLines.FindSubmatch(answer)
		lines := strings.SplitAfter(string(m[3]), "\n")
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, " name="+controlName+" ") })
		for i, l := range lines {
			lines[i] = clientValues.ReplaceAllString(clientLater.ReplaceAllString(l, ""), "$1=~")
		}
		slices.Sort(lines)
		return []byte(string(m[1]) + string(m[2]) + strings.Join(lines, "") + "\r\n")
	})
}

var (
	infoText   = regexp.MustCompile(`^([$=])\d+\r\n(?:txt:)?# [A-Z]`)
	infoFields = regexp.MustCompile(`\b(?:redis_mode|loading|role|connected_slaves|cluster_enabled):[^\r]*`)
)

// normaliseInfo puts one line in the place of an answer to INFO: "$role:master cluster_enabled:0".
func normaliseInfo(b []byte) []byte {
	return eachReply(b, func(r []byte) []byte {
		m := infoText.FindSubmatch(r)
		if m == nil {
			return r
		}
		return slices.Concat(m[1], bytes.Join(infoFields.FindAll(r, -1), []byte(" ")), []byte("\r\n"))
	})
}

// replies splits a stream into whole replies; what is not yet whole stays as it is.
func replies(b []byte) (whole [][]byte, rest []byte) {
	for {
		n := replyLen(b)
		if n == 0 {
			return whole, b
		}
		whole, b = append(whole, b[:n]), b[n:]
	}
}

// replyLen is the length of the reply that b begins with, 0 if it is not whole.
func replyLen(b []byte) int {
	end := bytes.IndexByte(b, '\n') + 1
	if end < 3 {
		return 0
	}
	n, err := parseInt(b[1 : end-2])
	if err != nil || n < 0 {
		return end
	}
	switch b[0] {
	case '$', '=':
		if end += int(n) + 2; end > len(b) {
			return 0
		}
		return end
	case '%':
		n *= 2
	case '*', '>', '~':
	default:
		return end
	}
	for range n {
		item := replyLen(b[end:])
		if item == 0 {
			return 0
		}
		end += item
	}
	return end
}

// elements splits a list into its header and its elements; a reply that is no list has none.
func elements(r []byte) (header []byte, items [][]byte) {
	if !strings.ContainsRune("*>~%", rune(r[0])) {
		return r, nil
	}
	end := bytes.IndexByte(r, '\n') + 1
	items, _ = replies(r[end:])
	return r[:end], items
}

// eachReply rewrites every whole reply of a stream.
func eachReply(b []byte, rewrite func([]byte) []byte) []byte {
	whole, rest := replies(b)
	out := make([]byte, 0, len(b))
	for _, r := range whole {
		out = append(out, rewrite(r)...)
	}
	return append(out, rest...)
}

// sortLists sorts the elements of every list.
func sortLists(b []byte) []byte {
	return eachReply(b, func(r []byte) []byte {
		header, items := elements(r)
		slices.SortFunc(items, bytes.Compare)
		return slices.Concat(header, slices.Concat(items...))
	})
}

// sortDeep sorts the elements of every list, and of the lists in it.
func sortDeep(b []byte) []byte {
	return eachReply(b, func(r []byte) []byte {
		header, items := elements(r)
		if len(items) == 0 {
			return r
		}
		for i := range items {
			items[i] = sortDeep(items[i])
		}
		slices.SortFunc(items, bytes.Compare)
		return slices.Concat(header, slices.Concat(items...))
	})
}

// sortPatterns sorts neighbouring pmessages that carry one message, that is one channel and payload.
func sortPatterns(b []byte) []byte {
	whole, rest := replies(b)
	message := func(r []byte) string {
		_, items := elements(r)
		if len(items) != 4 || string(items[0]) != "$8\r\npmessage\r\n" {
			return ""
		}
		return string(items[2]) + string(items[3])
	}
	for i := 0; i < len(whole); {
		same := 1
		for i+same < len(whole) && message(whole[i]) != "" && message(whole[i+same]) == message(whole[i]) {
			same++
		}
		slices.SortFunc(whole[i:i+same], bytes.Compare)
		i += same
	}
	return slices.Concat(slices.Concat(whole...), rest)
}

// sortPairs sorts the key-value pairs of every list or map.
func sortPairs(b []byte) []byte {
	return eachReply(b, func(r []byte) []byte {
		header, items := elements(r)
		if len(items)%2 != 0 {
			return r
		}
		var pairs [][]byte
		for pair := range slices.Chunk(items, 2) {
			pairs = append(pairs, slices.Concat(pair...))
		}
		slices.SortFunc(pairs, bytes.Compare)
		return slices.Concat(header, slices.Concat(pairs...))
	})
}

// sortConfirmations sorts the names of the unsubscribe confirmations of one kind among themselves.
func sortConfirmations(b []byte) []byte {
	names := map[string][][]byte{}
	eachConfirmation := func(b []byte, visit func(kind string, items [][]byte)) []byte {
		return eachReply(b, func(r []byte) []byte {
			header, items := elements(r)
			if len(items) != 3 || !bytes.HasSuffix(items[0], []byte("unsubscribe\r\n")) {
				return r
			}
			visit(string(items[0]), items)
			return slices.Concat(header, slices.Concat(items...))
		})
	}
	eachConfirmation(b, func(kind string, items [][]byte) { names[kind] = append(names[kind], items[1]) })
	for _, of := range names {
		slices.SortFunc(of, bytes.Compare)
	}
	return eachConfirmation(b, func(kind string, items [][]byte) {
		items[1], names[kind] = names[kind][0], names[kind][1:]
	})
}

func TestNormalise(t *testing.T) {
	f := func(text, answer, want string) {
		t.Helper()
		if got := string(normalise(text, []byte(answer))); got != want {
			t.Errorf("%s: %q becomes %q, want %q", text, answer, got, want)
		}
	}
	f("a: CLIENT ID", ":17\r\n", ":~\r\n")
	f("a: PUBLISH c m", ":17\r\n", ":17\r\n")
	f("a: HELLO", "$7\r\nversion\r\n$6\r\n7.0.15\r\n$2\r\nid\r\n:5\r\n", "$7\r\nversion\r\n~\r\n$2\r\nid\r\n:~\r\n")
	f("a: TIME", "*2\r\n$10\r\n1700000000\r\n$3\r\n123\r\n", "~")
	f("a: PUBSUB CHANNELS", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n")
	f("a: CONFIG GET *", "*4\r\n$1\r\nb\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n2\r\n", "*4\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nb\r\n$1\r\n1\r\n")
	f("a: UNSUBSCRIBE",
		"*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
		"*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n")
	f("a: UNSUBSCRIBE b a",
		"*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n",
		"*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n")
	f("a: PUBLISH c m",
		"*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\nc\r\n$1\r\nm\r\n*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$1\r\nm\r\n",
		"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$1\r\nc\r\n$1\r\nm\r\n*4\r\n$8\r\npmessage\r\n$1\r\n?\r\n$1\r\nc\r\n$1\r\nm\r\n")
	f("a: COMMAND INFO pubsub", "*1\r\n*2\r\n:2\r\n*2\r\n:1\r\n:0\r\n", "*1\r\n*2\r\n*2\r\n:0\r\n:1\r\n:2\r\n")
	f("a: CLIENT LIST",
		"$100\r\nid=9 addr=1:2 name=b age=3 lib-name=x cmd=ping\nid=7 addr=1:3 name=a age=3 cmd=ping\nid=1 name=harness \n\r\n",
		"$id=~ addr=~ name=a age=~ cmd=ping\nid=~ addr=~ name=b age=~ cmd=ping\n\r\n")
	info := "$62\r\n# Server\r\nredis_mode:standalone\r\n\r\n# Other\r\nx:1\r\nrole:master\r\n\r\n"
	f("a: INFO", info, "$redis_mode:standalone role:master\r\n")
	f("a pipeline:\n    PING\n    info server", "+PONG\r\n"+info, "+PONG\r\n$redis_mode:standalone role:master\r\n")
	f("a: ECHO info", info, info)
	f("a: PUBSUB CHANNELS", "*2\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n")
}
