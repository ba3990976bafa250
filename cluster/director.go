package cluster

import (
	"context"
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// This file is the director: it hands to the deciding parts what happens, one at
// a time under mu, and carries out what they want done. Nothing of that waits:
// messages and proposals go to queues.

// founding is the proposal that begins a generation. The decider's own count
// from one.
const founding = 1 << 63

// wake has the effects carried out soon. What comes meanwhile is carried out
// with them: that makes one entry and one frame of many.
func (l *life) wake() {
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// drive carries out effects and tells the deciding parts the time when they
// want to know it.
func (l *life) drive() {
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-due.C:
		case <-l.dirty:
		}
		l.mu.Lock()
		now := l.now()
		l.decider.Tick(now)
		l.host.Tick(now)
		l.front.Tick(now)
		l.bring()
		next := min(l.decider.Next(), l.host.Next(), l.front.Next())
		l.mu.Unlock()
		due.Reset(max(next-l.now(), tickMin))
	}
}

// bring carries out all effects. The caller holds mu.
func (l *life) bring() {
	for {
		effects := slices.Concat(l.decider.Effects(), l.host.Effects(), l.front.Effects())
		mine := l.toSelf
		l.toSelf = nil
		if len(effects)+len(mine) == 0 {
			return
		}
		for _, m := range mine {
			l.route(l.self.Name, m)
		}
		for _, e := range effects {
			l.do(e)
		}
	}
}

func (l *life) do(e placement.Effect) {
	switch e := e.(type) {
	case placement.Send:
		l.send(e.To, e.Message)
	case placement.Propose:
		l.parts.consensus.Propose(e.ID, e.Ops)
	case placement.Verify:
		l.parts.consensus.Verify(func(leads bool) {
			l.mu.Lock()
			l.decider.Verified(e.ID, leads)
			l.mu.Unlock()
			l.wake()
		})
	case placement.Open:
		l.usage.open(e.Room, l.now())
	case placement.Shut:
		l.usage.shut(e.Room)
	case placement.Members:
		l.roster()
	case placement.Rejoin:
		l.log.Warn("the cluster has given this node up: it begins anew", "node", l.self.Name)
		l.giveUp(l.known()...)
	case placement.Parted:
		if !l.departed {
			l.departed = true
			close(l.parted)
		}
	case placement.Answer:
		if answer := l.waiting[e.Tag]; answer != nil {
			delete(l.waiting, e.Tag)
			answer(e.Told)
		}
	case placement.Page:
		if page := l.paging[e.Tag]; page != nil {
			delete(l.paging, e.Tag)
			page(e.Scanned)
		}
	}
}

// send sends a message, to this process too.
func (l *life) send(to placement.Name, m placement.Message) {
	if to == l.self.Name {
		l.toSelf = append(l.toSelf, m)
		return
	}
	if address := l.addressOf(to); address != "" {
		l.parts.control.Send(to, address, m)
	} else {
		l.unaddressed++
	}
}

// receive takes a message of another node. Any goroutine.
func (l *life) receive(from placement.Name, m placement.Message) {
	l.mu.Lock()
	l.route(from, m)
	l.mu.Unlock()
	l.wake()
}

// route hands a message to the part that it is for. The caller holds mu.
func (l *life) route(from placement.Name, m placement.Message) {
	now := l.now()
	l.revive(from)
	switch m := m.(type) {
	case placement.Told:
		l.front.Receive(m)
		l.deposed(from, m.Error)
	case placement.Scanned:
		l.front.Receive(m)
		l.deposed(from, m.Error)
	case placement.Leave:
		if l.term == 0 || l.spares(from) {
			l.decider.Receive(now, from, m)
		}
	case placement.Reserve, placement.Release, placement.Activate, placement.Drop, placement.MayClose, placement.Reopen,
		placement.List, placement.Gone:
		l.order(now, from, m)
	case placement.Roster:
		l.order(now, from, m)
		address := addressIn(m, from) // without one it is no member, and leads nobody
		if address != "" && m.Term.Compare(l.heardTerm) >= 0 && l.term == 0 {
			l.heardTerm = m.Term
			l.whereabouts.hear(now, from, address)
			l.follow(from)
		}
	case placement.Join:
		l.whereabouts.hear(now, from, m.Member.Cluster)
		l.decider.Receive(now, from, m)
	default:
		l.decider.Receive(now, from, m)
	}
}

// ask asks the leader on behalf of a client.
func (l *life) ask(ctx context.Context, ask placement.Ask) (placement.Told, error) {
	return await(ctx, l, l.waiting, func(tag uint64) { l.front.Ask(l.now(), tag, ask) })
}

// scan asks the leader for a page of the rooms.
func (l *life) scan(ctx context.Context, cursor uint64, count int) (placement.Scanned, error) {
	return await(ctx, l, l.paging, func(tag uint64) { l.front.Scan(l.now(), tag, cursor, count) })
}

// await begins a question and waits for its answer, which is taken from the
// table of those that wait.
func await[T any](ctx context.Context, l *life, table map[uint64]func(T), begin func(tag uint64)) (answer T, err error) {
	answered := make(chan T, 1)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return answer, ErrNoLeader
	}
	l.tag++
	tag := l.tag
	table[tag] = func(a T) { answered <- a }
	begin(tag)
	l.mu.Unlock()
	l.wake()
	select {
	case answer = <-answered:
		return answer, nil
	case <-ctx.Done():
		l.mu.Lock()
		delete(table, tag)
		l.mu.Unlock()
		return answer, ctx.Err()
	}
}

// applied is called by consensus, with mu held, right after an entry of this
// process has changed the table.
func (l *life) applied(proposal uint64, outcomes []placement.Outcome) {
	if proposal == founding {
		l.gain()
	} else {
		l.decider.Applied(l.now(), proposal, outcomes)
	}
	l.wake()
}

// changed is called by consensus, with mu held, when the table has changed. What
// it says of this process may be older than what the leader has told it.
func (l *life) changed() {
	if now := l.table.RosterEpoch(); l.term > 0 && now != l.balanced {
		l.balanced = now
		l.parts.consensus.Balance(l.candidates())
	}
}

func (l *life) failed(proposal uint64) {
	l.mu.Lock()
	if proposal == founding {
		l.found()
	} else {
		l.decider.Failed(proposal)
	}
	l.mu.Unlock()
	l.wake()
}

// leadership is called by consensus when this process leads, or does no more,
// perhaps before it is there to be spoken to.
func (l *life) leadership(term uint64) {
	<-l.opened
	l.mu.Lock()
	defer l.wake()
	defer l.mu.Unlock()
	l.decider.Lose()
	l.term = term
	switch {
	case term == 0:
		l.log.Info("leads the cluster no more")
		if l.leader == l.self.Name {
			l.follow("")
		}
	case l.table.Generation() < l.generation:
		l.found()
	default:
		l.gain()
	}
}

// found proposes what every other entry is later than.
func (l *life) found() {
	id, _ := splitCluster(l.cluster)
	l.parts.consensus.Propose(founding, []placement.Op{
		{Kind: placement.BeginGeneration, Generation: l.generation, Cluster: id},
		{Kind: placement.PutMember, Member: l.self},
	})
}

// gain has the decider begin its term.
func (l *life) gain() {
	if l.term == 0 {
		return
	}
	l.log.Info("leads the cluster", "term", l.term, "members", l.members(), "rooms", l.table.Rooms())
	l.decider.Gain(l.now(), placement.Term{Generation: l.table.Generation(), Number: l.term})
	l.decider.Load(l.now(), l.last)
	for name := range l.dead { // what the last leader did not live to hear, and may be over
		delete(l.dead, name)
		l.inquire(name)
	}
	if l.outlived != "" { // the reason for this generation
		l.decider.Die(l.now(), l.outlived)
		l.outlived = ""
	}
	clear(l.unheard)
	l.follow(l.self.Name)
}

// follow takes note of who leads; empty: nobody. The caller holds mu.
func (l *life) follow(leader placement.Name) {
	if l.leader == leader {
		return
	}
	l.leader = leader
	l.host.Leader(leader)
	l.front.Leader(l.now(), leader)
	if leader != "" && leader != l.self.Name {
		l.parts.control.Watch(leader, l.addressOf(leader))
	}
}

// deposed follows nobody who refuses a question because it does not lead. The
// caller holds mu.
func (l *life) deposed(from placement.Name, why placement.Refusal) {
	if why == placement.NotLeader && from == l.leader && from != l.self.Name {
		l.follow("")
	}
}

// spares reports whether the voters that remain can agree without a member,
// which wants to leave, or could not with more patience. The caller holds mu.
func (l *life) spares(name placement.Name) bool {
	voters, others, votes := l.voters(name)
	return !votes || voters == 1 || others > voters/2 || !l.hopeful()
}
