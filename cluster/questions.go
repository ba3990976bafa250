package cluster

import (
	"context"

	"hubsub/cluster/placement"
)

// questions are those of clients that wait for the front's answer, by the tags
// under which it knows them. Each chan has room for the one answer that it gets,
// so that nobody waits for a client who waits no more. The guard is life.mu.
type questions struct {
	last  uint64 // tag
	rooms map[uint64]chan<- placement.Told
	pages map[uint64]chan<- placement.Scanned
	lanes map[uint64]bool // a lane's, which is told by its box
}

func newQuestions() questions {
	return questions{rooms: make(map[uint64]chan<- placement.Told), pages: make(map[uint64]chan<- placement.Scanned), lanes: make(map[uint64]bool)}
}

func (q *questions) waiting() int { return len(q.rooms) + len(q.pages) }

// begin returns the tag of a new question.
func (q *questions) begin() uint64 {
	q.last++
	return q.last
}

// refuse answers all that wait.
func (q *questions) refuse(why placement.Refusal) {
	for tag := range q.rooms {
		answer(q.rooms, tag, placement.Told{Error: why})
	}
	for tag := range q.pages {
		answer(q.pages, tag, placement.Scanned{Error: why})
	}
}

// answer answers one of those that wait, if it still does.
func answer[T any](waiting map[uint64]chan<- T, tag uint64, with T) {
	if answered := waiting[tag]; answered != nil {
		delete(waiting, tag)
		answered <- with
	}
}

// ask asks the leader on behalf of a client.
func (l *life) ask(ctx context.Context, ask placement.Ask) (placement.Told, error) {
	return await(ctx, l, l.questions.rooms, func(tag uint64) { l.front.Ask(l.now(), tag, ask) })
}

// scan asks the leader for a page of the rooms.
func (l *life) scan(ctx context.Context, cursor uint64, count int) (placement.Scanned, error) {
	return await(ctx, l, l.questions.pages, func(tag uint64) { l.front.Scan(l.now(), tag, cursor, count) })
}

// await has the front begin a question, and waits for its answer or until the
// client waits no more.
func await[T any](ctx context.Context, l *life, waiting map[uint64]chan<- T, begin func(tag uint64)) (told T, err error) {
	answered := make(chan T, 1)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return told, ErrNoLeader
	}
	tag := l.questions.begin()
	waiting[tag] = answered
	begin(tag)
	l.mu.Unlock()
	l.wake()
	select {
	case told = <-answered:
		return told, nil
	case <-ctx.Done():
		l.mu.Lock()
		delete(waiting, tag)
		l.mu.Unlock()
		return told, ctx.Err()
	}
}
