package record

// Growth is what a figure becomes as clusters get more nodes, measured with each number of them more than once.
type Growth struct {
	Title   string         `json:"title"`
	Axis    string         `json:"axis"` // what the values are
	Unit    string         `json:"unit"`
	Servers []GrowthServer `json:"servers"` // the first is what the others are compared to
}

// GrowthServer is one kind of cluster.
type GrowthServer struct {
	Name   string        `json:"name"`
	Points []GrowthPoint `json:"points"` // by rising number of nodes
}

// GrowthPoint is what was measured with so many nodes.
type GrowthPoint struct {
	Nodes  int       `json:"nodes"`
	Values []float64 `json:"values"`
}
