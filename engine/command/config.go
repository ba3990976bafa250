package command

import (
	"bytes"
	"strings"

	"hubsub/engine/glob"
)

// configGet answers the parameters that match any of the patterns, each once.
// One that is asked for by its name is shown as it was written.
func configGet(c call) {
	var found []string
	c.h.Server.Options(func(name, value string) {
		for _, pattern := range c.args() {
			switch {
			case bytes.ContainsAny(pattern, "*?["):
				if !glob.MatchFold(pattern, []byte(name)) {
					continue
				}
			case !strings.EqualFold(string(pattern), name):
				continue
			default:
				name = string(pattern)
			}
			found = append(found, name, value)
			return
		}
	})
	w := c.reply()
	w.Map(len(found) / 2)
	for _, text := range found {
		w.BulkString(text)
	}
}

func configSet(c call) {
	args := c.args()
	if len(args)%2 != 0 {
		c.fail(faultSyntax)
		return
	}
	pairs := make([][2]string, 0, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		pairs = append(pairs, [2]string{cited(args[i]), string(args[i+1])})
	}
	if err := c.h.Server.SetOptions(pairs); err != nil {
		c.fail("ERR " + err.Error())
		return
	}
	c.ok()
}

func configResetStat(c call) {
	c.s.Engine().ResetStats()
	c.h.denials.resetCounts()
	c.ok()
}

// configRewrite refuses: the configuration file is its author's.
func configRewrite(c call) {
	if c.h.ConfigFile == "" {
		c.fail("ERR The server is running without a config file")
		return
	}
	c.fail("ERR Rewriting config file: this server does not write to it")
}
