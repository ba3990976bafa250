package bench

import (
	"encoding/json"
	"strings"

	"golang.org/x/sys/unix"
)

// versionKeys are the lines of INFO server that say what a server is.
var versionKeys = []string{"server_name", "redis_version", "valkey_version", "dragonfly_version"}

// serverVersion returns what the first node of a server says of itself, empty if nothing.
func serverVersion(addresses []string) string {
	dial, err := newDialer(addresses)
	if err != nil {
		return ""
	}
	p, line, err := dial.firstLine(0)
	if err != nil {
		return ""
	}
	if p == nats {
		return natsVersion(line)
	}
	info, err := dial.info()
	if err != nil {
		return ""
	}
	return versionIn(info)
}

// info returns the first node's INFO section about the server.
func (d *dialer) info() (string, error) {
	fd, err := d.open(0, resp2)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	r, err := d.do("INFO", "server")
	return r.text, err
}

// natsVersion returns the version in the greeting of a NATS server.
func natsVersion(greeting string) string {
	var says struct{ Version string }
	if json.Unmarshal([]byte(strings.TrimPrefix(greeting, string(natsInfo))), &says) != nil || says.Version == "" {
		return ""
	}
	return "nats-server " + printable(says.Version)
}

// versionIn returns the version lines of an INFO section as "redis_version 7.2.4, valkey_version 8.0.1".
func versionIn(info string) string {
	var found []string
	for _, key := range versionKeys {
		for line := range strings.Lines(info) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+":"); ok && value != "" {
				found = append(found, key+" "+printable(value))
			}
		}
	}
	return strings.Join(found, ", ")
}
