package gossip

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bytedance/sonic"

	"hubsub/cluster/placement"
)

// meta is what a node says of itself for as long as it runs: memberlist carries
// it in each message that the node is alive, so it is short. The name is
// memberlist's.
type meta struct {
	Version int      `json:"v"`            // of this and of reports; fields may be added without a new one
	ID      string   `json:"id,omitempty"` // if the name does not begin with it
	Cluster string   `json:"a"`            // for the other nodes, as the operator gave it: perhaps a name
	Clients []string `json:"c,omitempty"`
	Zone    string   `json:"z,omitempty"`
	Weight  int      `json:"w"`
}

const metaVersion = 1

var errMeta = errors.New("what it says of itself is nothing that a node says")

// encodeMeta returns what a member says of itself, or an error if that is too
// long to be said.
func encodeMeta(m placement.Member) ([]byte, error) {
	d := meta{Version: metaVersion, Cluster: m.Cluster, Clients: m.Clients, Zone: m.Zone, Weight: max(m.Weight, 1)}
	if m.ID != idOf(m.Name) {
		d.ID = m.ID
	}
	b, err := sonic.ConfigStd.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("cannot encode what this node says of itself: %w", err)
	}
	if len(b) > metaBytesMax {
		return nil, fmt.Errorf("what this node says of itself has %d bytes, the most is %d: "+
			"it needs shorter or fewer addresses for clients, or a shorter zone", len(b), metaBytesMax)
	}
	return b, nil
}

// decodeMeta returns the member that a node of this name says it is.
func decodeMeta(name string, b []byte) (placement.Member, error) {
	var d meta
	if err := sonic.ConfigStd.Unmarshal(b, &d); err != nil || name == "" || d.Version < metaVersion || d.Cluster == "" {
		return placement.Member{}, errMeta
	}
	m := placement.Member{
		Name: placement.Name(name), ID: d.ID, Cluster: d.Cluster,
		Clients: slices.Clip(d.Clients), Zone: d.Zone, Weight: max(d.Weight, 1),
	}
	if m.ID == "" {
		m.ID = idOf(m.Name)
	}
	return m, nil
}

// idOf returns the id that a name begins with.
func idOf(name placement.Name) string {
	if i := strings.LastIndexByte(string(name), '/'); i >= 0 {
		return string(name[:i])
	}
	return string(name)
}
