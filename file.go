package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// configFile is a configuration file: lines of an option's name and its value,
// as in redis.conf. It is a kong.Resolver: flags and environment come first.
type configFile map[string]string

// readConfigFile is a kong.ConfigurationLoader.
func readConfigFile(r io.Reader) (kong.Resolver, error) {
	file := configFile{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, value := line, ""
		if blank := strings.IndexAny(line, " \t"); blank >= 0 {
			name, value = line[:blank], unquote(strings.TrimSpace(line[blank:]))
		}
		name = strings.ToLower(name)
		if earlier, again := file[name]; again && name == "client-output-buffer-limit" {
			value = earlier + " " + value // one line per class
		}
		file[name] = value
	}
	return file, lines.Err()
}

// unquote takes off the quotes that redis.conf allows around a value.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// Validate refuses names that are no options.
func (f configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, flag := range app.Flags {
		known[flag.Name] = true
	}
	for name := range f {
		if !known[name] {
			return fmt.Errorf("HubSub has no option %q: take the line out of the file", name)
		}
	}
	return nil
}

// Resolve gives a flag's value, nil if the file has none, or the environment
// has one.
func (f configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if value, ok := f[flag.Name]; ok {
		return value, nil
	}
	return nil, nil
}
