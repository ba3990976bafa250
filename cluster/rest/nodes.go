package rest

import "net/http"

// node is a member of the cluster as clients see it.
type node struct {
	ID          string   `json:"id"`
	Address     string   `json:"addr"`
	Clients     []string `json:"clients"`
	Zone        string   `json:"zone"`
	Weight      int      `json:"weight"`
	State       string   `json:"state"`
	Rooms       int      `json:"rooms"`
	Connections int      `json:"connections"`
	Busy        float64  `json:"busy"`
	Voter       bool     `json:"voter"`
	Leader      bool     `json:"leader"`
	Self        bool     `json:"self"`
}

func (a *api) listNodes(w http.ResponseWriter, _ *http.Request) {
	nodes := []node{}
	for _, n := range a.Node.Nodes() {
		nodes = append(nodes, node{
			ID: n.ID, Address: n.Cluster, Clients: append([]string{}, n.Clients...), Zone: n.Zone, Weight: n.Weight,
			State: n.State.String(), Rooms: n.Rooms, Connections: n.Report.Connections, Busy: n.Busy,
			Voter: n.Voter, Leader: n.Leader, Self: n.Self,
		})
	}
	reply(w, struct {
		Nodes []node `json:"nodes"`
	}{nodes})
}
