package cluster

import "time"

// isolation is for --partition strict: a node that may have been cut off from the
// majority leads no room, so that the other side may. The guard is life.mu.
type isolation struct {
	touched time.Duration // when it last led the cluster itself, or its leader has answered
	yes     bool          // and the lanes know
}

// touch takes that the leader has answered, or that this node leads.
func (i *isolation) touch(now time.Duration) { i.touched = now }

// judge reports whether the node counts as cut off now, and whether that is news.
// Who has never had a leader has nothing to lose.
func (i *isolation) judge(now time.Duration) (yes, news bool) {
	yes = i.touched > 0 && now-i.touched >= isolatedAfter
	news = yes != i.yes
	i.yes = yes
	return yes, news
}

// isolate tells the lanes whether this node counts as cut off. The caller holds
// mu.
func (l *life) isolate() {
	if !l.node.config.Strict {
		return
	}
	if l.led.here() {
		l.isolation.touch(l.now())
	}
	yes, news := l.isolation.judge(l.now())
	if !news {
		return
	}
	if yes {
		l.log.Warn("the cluster's leader does not answer: this node leads no rooms until it does")
	} else {
		l.log.Info("the cluster's leader answers: this node leads its rooms again")
	}
	l.lanes().isolated(yes)
}
