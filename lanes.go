package main

import (
	"hubsub/cluster"
	"hubsub/cluster/lane"
	"hubsub/engine"
	"hubsub/engine/glob"
)

// newLanes returns what brings rooms to other nodes, for so many loops; nil
// without a cluster.
func newLanes(o *options, loops int) *cluster.Lanes {
	if o.Cluster == "" {
		return nil
	}
	return cluster.NewLanes(cluster.LanesConfig{Loops: loops, Of: engine.LaneOf, Match: glob.Match, Index: new(glob.Index[uint32])})
}

// lanesOf has the engine's loops attach them.
func lanesOf(lanes *cluster.Lanes) func(loop, loops int, s engine.Sink) engine.Lane {
	if lanes == nil {
		return nil
	}
	return func(loop, _ int, s engine.Sink) engine.Lane { return engineLane{lanes.Attach(loop, outlet{s})} }
}

// engineLane is a lane as the engine knows it.
type engineLane struct{ *cluster.Lane }

func (l engineLane) Publish(tag uint64, kind engine.Kind, room, channel, message []byte) int64 {
	return l.Lane.Publish(tag, lane.Kind(kind), room, channel, message)
}

func (l engineLane) Interest(tag uint64, kind engine.Kind, room, channel []byte, delta int) {
	l.Lane.Interest(tag, lane.Kind(kind), room, channel, delta)
}

func (l engineLane) Count(tag uint64, kind engine.Kind, room, channel []byte) {
	l.Lane.Count(tag, lane.Kind(kind), room, channel)
}

// outlet is a loop of the engine as a lane knows it.
type outlet struct{ sink engine.Sink }

func (o outlet) Deliver(kind lane.Kind, room, channel, message []byte) {
	o.sink.Deliver(engine.Kind(kind), room, channel, message)
}

func (o outlet) Answer(tag uint64, code lane.Code, n int64) {
	o.sink.Answer(tag, answerCodes[code], n)
}

func (o outlet) Own(room string, own bool) { o.sink.Own(room, own) }

func (o outlet) Gap(room string, lost int64, why lane.Why) {
	o.sink.Gap([]byte(room), lost, gapReasons[why])
}

func (o outlet) Traffic(room string) (messages int64, perSecond float64) {
	return o.sink.Traffic([]byte(room))
}

func (o outlet) Watch(fd int, ready func()) (stop func()) { return o.sink.Watch(fd, ready) }

func (o outlet) Wake() { o.sink.Wake() }

var answerCodes = [...]engine.Code{
	lane.Done: engine.Done, lane.TryAgain: engine.TryAgain, lane.Down: engine.Down, lane.TooMany: engine.TooMany, lane.Failed: engine.BadName,
}

var gapReasons = [...]engine.Why{lane.Takeover: engine.Takeover, lane.Link: engine.Link, lane.Full: engine.Full, lane.Moved: engine.Moved}
