package gossip

import (
	"math/rand/v2"
	"time"

	"github.com/bytedance/sonic"
)

// report tells the leader and another node how busy this one is, once a second.
func (g *Gossip) report() {
	ticker := time.NewTicker(reportInterval)
	defer ticker.Stop()
	for {
		g.reportOnce()
		select {
		case <-ticker.C:
		case <-g.ctx.Done():
			return
		}
	}
}

func (g *Gossip) reportOnce() {
	r := g.config.Report()
	r.Node = g.config.Self.Name
	b, err := sonic.Marshal(r)
	if err != nil { // a share that is no number
		g.counters.reportsBad.Add(1)
		g.log.Warn("cannot report this node's load", "error", err)
		return
	}
	g.view.hear(r)
	g.pass()
	leader := string(g.config.Leader())
	nodes := g.view.nodes()
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	others := 0
	for i := range nodes {
		if nodes[i].Name != leader {
			if others == reportNodes {
				continue
			}
			others++
		}
		g.transport.report(b, nodes[i].Address())
	}
}

// hear takes in a report of another node, and hands it on at once.
func (g *Gossip) hear(report []byte) {
	g.view.read(report)
	g.pass()
}
