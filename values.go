package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hubsub/engine"
)

// The kinds of values that options have. Each reads its text as Redis does,
// and its errors are what CONFIG SET says after "argument".
type (
	number  int64         // a plain integer
	octal   uint32        // a file mode
	memory  int64         // bytes, with k, kb, m, mb, g, gb
	seconds int64         // whole seconds
	period  time.Duration // Go's notation: 1ms, 500us, 0
	yesno   struct{ on bool }
	words   []string // separated by blanks
	list    []string // separated by commas or blanks
	text    string
	choice  string                 // one word of several, in lower case
	outputs map[string]outputLimit // by class of client
)

// value is what every kind can do.
type value interface {
	UnmarshalText([]byte) error
	fmt.Stringer
}

func (v *number) UnmarshalText(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return errors.New("argument couldn't be parsed into an integer")
	}
	*v = number(n)
	return nil
}

func (v number) String() string { return strconv.FormatInt(int64(v), 10) }

func (v *octal) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 8, 32)
	if err != nil || n > 0o777 {
		return errors.New("argument must be an octal number of at most 777")
	}
	*v = octal(n)
	return nil
}

func (v octal) String() string { return strconv.FormatUint(uint64(v), 8) }

func (v *seconds) UnmarshalText(b []byte) error { return (*number)(v).UnmarshalText(b) }
func (v seconds) String() string                { return number(v).String() }

func (v *memory) UnmarshalText(b []byte) error {
	n, ok := parseMemory(string(b))
	if !ok {
		return errors.New("argument must be a memory value")
	}
	*v = memory(n)
	return nil
}

func (v memory) String() string { return strconv.FormatInt(int64(v), 10) }

// periodMax bounds a hold: no client waits longer for a message.
const periodMax = time.Second

// parseMemory reads a number with a unit: k is 1000, kb 1024, and so on.
func parseMemory(s string) (int64, bool) {
	digits := strings.TrimRight(strings.ToLower(s), "bkmg")
	factor, known := map[string]int64{
		"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1e6, "mb": 1 << 20, "g": 1e9, "gb": 1 << 30,
	}[strings.ToLower(s)[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || n < 0 || n > math.MaxInt64/factor {
		return 0, false
	}
	return n * factor, true
}

func (v *period) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	if err != nil || d < 0 || d > periodMax {
		return errors.New("argument must be a duration of at most 1s, such as 1ms, 500us or 0")
	}
	*v = period(d)
	return nil
}

func (v period) String() string { return time.Duration(v).String() }

func (v *yesno) UnmarshalText(b []byte) error {
	switch strings.ToLower(string(b)) {
	case "yes":
		v.on = true
	case "no":
		v.on = false
	default:
		return errors.New("argument must be 'yes' or 'no'")
	}
	return nil
}

func (v yesno) String() string {
	if v.on {
		return "yes"
	}
	return "no"
}

func (v *words) UnmarshalText(b []byte) error {
	*v = strings.Fields(string(b))
	return nil
}

func (v words) String() string { return strings.Join(v, " ") }

func (v *list) UnmarshalText(b []byte) error {
	*v = strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	return nil
}

func (v list) String() string { return strings.Join(v, ",") }

func (v *text) UnmarshalText(b []byte) error {
	*v = text(b)
	return nil
}

func (v text) String() string { return string(v) }

func (v *choice) UnmarshalText(b []byte) error {
	*v = choice(strings.ToLower(string(b)))
	return nil
}

func (v choice) String() string { return string(v) }

// outputLimit is one class's limits as they are written: hard, soft, seconds.
type outputLimit struct {
	hard, soft memory
	seconds    int64
}

// outputClasses are Redis's. HubSub has no replicas; it keeps what is said of
// them.
var outputClasses = []string{"normal", "slave", "pubsub"}

// outputDefaults are Redis's limits.
func outputDefaults() outputs {
	return outputs{"normal": {}, "slave": {256 << 20, 64 << 20, 60}, "pubsub": {32 << 20, 8 << 20, 60}}
}

// UnmarshalText takes groups of four words, for one class or several. Classes
// that are not named keep their limits.
func (v *outputs) UnmarshalText(b []byte) error {
	fields := strings.Fields(string(b))
	if len(fields) == 0 || len(fields)%4 != 0 {
		return errors.New("Wrong number of arguments in buffer limit configuration.")
	}
	next := outputDefaults()
	maps.Copy(next, *v)
	for ; len(fields) > 0; fields = fields[4:] {
		class := strings.ToLower(fields[0])
		if class == "replica" {
			class = "slave"
		}
		hard, ok1 := parseMemory(fields[1])
		soft, ok2 := parseMemory(fields[2])
		secs, err := strconv.ParseInt(fields[3], 10, 32)
		switch {
		case class != "normal" && class != "slave" && class != "pubsub":
			return errors.New("Invalid client class specified in buffer limit configuration.")
		case !ok1 || !ok2 || err != nil || secs < 0:
			return errors.New("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		next[class] = outputLimit{memory(hard), memory(soft), secs}
	}
	*v = next
	return nil
}

func (v outputs) String() string {
	var b strings.Builder
	for i, class := range outputClasses {
		if i > 0 {
			b.WriteByte(' ')
		}
		limit := v[class]
		fmt.Fprintf(&b, "%s %d %d %d", class, limit.hard, limit.soft, limit.seconds)
	}
	return b.String()
}

func (v outputs) limit(class string) engine.OutputLimit {
	limit := v[class]
	return engine.OutputLimit{
		HardBytes: int64(limit.hard),
		SoftBytes: int64(limit.soft),
		SoftTime:  time.Duration(limit.seconds) * time.Second,
	}
}
