package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"hubsub/resp"
)

// configFile is a configuration file: lines of an option's name and its value,
// as in redis.conf. It is a kong.Resolver: flags and environment come first.
type configFile struct {
	values  map[string]string // by the option's name
	users   [][]string        // the words of "user" lines: a name and its rules
	unknown []string          // names that are no options, each once
}

// accumulated are the options that a line adds to, instead of replacing what an
// earlier line said.
var accumulated = []string{"client-output-buffer-limit"}

// readConfigFile reads a file in redis.conf's form. Names that are no options
// are kept apart; a value that an option cannot take is an error that tells the
// line.
func readConfigFile(r io.Reader) (configFile, error) {
	file := configFile{values: map[string]string{}}
	known := map[string]option{}
	for _, opt := range new(options).table() {
		known[opt.name] = opt
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, configLineMax)
	n := 0
	path := "the configuration"
	if named, ok := r.(interface{ Name() string }); ok {
		path = named.Name()
	}
	// fault does not repeat the line: it may hold a password.
	fault := func(what string, why any) error {
		return fmt.Errorf("%s, line %d: %s: %v", path, n, what, why)
	}
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words, ok := resp.Words([]byte(line))
		if !ok {
			return file, fault("the line", "unbalanced quotes")
		}
		name, values := strings.ToLower(string(words[0])), texts(words[1:])
		value := strings.Join(values, " ")
		opt, isOption := known[name]
		switch {
		case name == "user":
			file.users = append(file.users, values) // a password may hold blanks
		case !isOption:
			if !slices.Contains(file.unknown, name) {
				file.unknown = append(file.unknown, name)
			}
		case len(words) == 1:
			return file, fault(name, "wrong number of arguments")
		default:
			if earlier, again := file.values[name]; again && slices.Contains(accumulated, name) {
				value = earlier + " " + value
			}
			if err := opt.set(value); err != nil {
				return file, fault(name, err)
			}
			file.values[name] = value
		}
	}
	return file, lines.Err()
}

func texts(words [][]byte) (list []string) {
	for _, word := range words {
		list = append(list, string(word))
	}
	return list
}

// Validate is part of kong.Resolver.
func (f configFile) Validate(*kong.Application) error { return nil }

// Resolve gives a flag's value, nil if the file has none, or the environment
// has one.
func (f configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if value, ok := f.values[flag.Name]; ok {
		return value, nil
	}
	return nil, nil
}
