package bench

import (
	"context"
	"fmt"
	"time"
)

// idleMeasurement is what idle subscribers cost.
type idleMeasurement struct {
	connections int
	before      memory        // of the server, before the connections
	after       memory        // after the settle time
	settle      time.Duration // how long that was
	cpu         time.Duration // what the server used in it
}

// measureIdle connects and subscribes the shape's connections, lets the server settle and compares its memory. At the
// end every connection must still answer.
func measureIdle(ctx context.Context, t target, o *options) (m idleMeasurement, err error) {
	m.connections, m.settle = o.shape.subscribers, o.settle
	if len(t.processes) == 0 {
		return m, fmt.Errorf("memory per connection needs the server's processes (--pid): %s", t.name)
	}
	o.progress.wait(ctx, startSettle, "before the connections")
	if m.before, err = t.processes.memory(); err != nil {
		return m, err
	}

	o.progress.say("connecting")
	g, err := connectIdle(t, o)
	if err != nil {
		return m, err
	}
	defer g.close()

	begin, err := t.processes.cpuTime()
	if err != nil {
		return m, err
	}
	o.progress.wait(ctx, o.settle, "settling")
	if ctx.Err() != nil {
		return m, context.Cause(ctx)
	}
	end, err := t.processes.cpuTime()
	if err != nil {
		return m, err
	}
	m.cpu = end - begin
	if m.after, err = t.processes.memory(); err != nil {
		return m, err
	}
	if err := g.fence(ctx); err != nil {
		return m, fmt.Errorf("idle connection lost: %w", err)
	}
	return m, nil
}

// connectIdle opens and subscribes the shape's connections.
func connectIdle(t target, o *options) (*generator, error) {
	idle := *o
	if idle.shape.rooms == 0 {
		idle.shape.rooms = idle.shape.subscribers
	}
	return newGenerator(t, &idle)
}

// perConnection returns the growth of resident and of proportional memory, in bytes.
func (m *idleMeasurement) perConnection() (resident, proportional float64) {
	n := float64(m.connections)
	return float64(m.after.resident-m.before.resident) / n,
		float64(m.after.proportional-m.before.proportional) / n
}
