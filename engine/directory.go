package engine

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"

	"hubsub/ring"
)

// Kind says which of the three name spaces of Redis a subscription is in.
type Kind uint8

const (
	Channel Kind = iota // SUBSCRIBE, PUBLISH
	Shard               // SSUBSCRIBE, SPUBLISH
	Pattern             // PSUBSCRIBE
	kinds
)

// room is what has one order: the channels that share a hash tag. It is in the
// directory while one of its channels has a subscriber or a loop still reads
// its log.
type room struct {
	// Set once.
	name string

	log   ring.Log[*run]
	meter ring.Meter // of messages that came to clients here, if there are lanes

	// Guarded by the shard's lock.
	channels channels
}

// channel is one name on the wire. It is in its room while it has a
// subscriber; one that only patterns hear is made for the publish and not kept.
type channel struct {
	// Set once.
	room *room
	name string
	kind Kind
	home int32 // the loop that subscribed first; -1: none did

	// Owned by the home loop, see loop.audienceOf.
	audience *audience

	// Guarded by the shard's lock: the channel's place among many of its room.
	place int32
	// Written under the shard's lock, read by anyone: loops need not ask a lane to
	// publish to it, see Sink.Own; and all loops' subscribers.
	owned       atomic.Bool
	subscribers atomic.Int64
	// Any loop: the patterns that match the name, for one generation.
	matches atomic.Pointer[matches]
}

// directory knows every room and channel that somebody is subscribed to. All
// loops share it; nothing in it belongs to a loop.
type directory struct {
	// Set once.
	seed   maphash.Seed
	shards []shard
	mask   uint64 // of a name's hash; what is left is its shard's place

	// Written under a shard's lock, read by anyone: how many there are.
	rooms    atomic.Int64
	channels [Pattern]atomic.Int64 // by kind
}

type shard struct {
	mu    sync.RWMutex
	rooms map[string]*room
	owned map[string]struct{} // names of rooms, also of such as are not here now
	_     [24]byte            // a cache line each
}

func newDirectory(loops int) *directory {
	shards := 1 << bits.Len(uint(loops*shardsPerLoop-1))
	d := &directory{seed: maphash.MakeSeed(), shards: make([]shard, shards), mask: uint64(shards - 1)}
	for i := range d.shards {
		d.shards[i].rooms = make(map[string]*room)
	}
	return d
}

// roomName returns the part of a channel's name that names its room: what
// stands between the first '{' and the first '}' after it, or the whole name
// if that is empty or absent (Redis Cluster's hash tag rule).
func roomName(channel []byte) []byte {
	open := bytes.IndexByte(channel, '{')
	if open < 0 {
		return channel
	}
	tag := channel[open+1:]
	if end := bytes.IndexByte(tag, '}'); end > 0 {
		return tag[:end]
	}
	return channel
}

func (d *directory) shard(room []byte) *shard {
	return &d.shards[maphash.Bytes(d.seed, room)&d.mask]
}

// lookup returns the channel if it has a subscriber, else nil.
func (d *directory) lookup(kind Kind, name []byte) (ch *channel) {
	rn := roomName(name)
	sh := d.shard(rn)
	sh.mu.RLock() // no defer: each publish comes here
	if r := sh.rooms[string(rn)]; r != nil {
		ch = r.channels.find(kind, name)
	}
	sh.mu.RUnlock()
	return ch
}

// find returns the room of that name, or nil.
func (d *directory) find(name []byte) *room {
	sh := d.shard(name)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	return sh.rooms[string(name)]
}

// passing returns a channel to publish to that nobody is subscribed to by name:
// it is not kept, but its room is shared, so that all who hear it by a pattern
// see one order.
func (d *directory) passing(kind Kind, name []byte) *channel {
	rn := roomName(name)
	sh := d.shard(rn)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := d.room(sh, rn)
	if ch := r.channels.find(kind, name); ch != nil {
		return ch
	}
	return r.channel(kind, name)
}

// channel makes a channel of the room. Most rooms have one, of their own name.
func (r *room) channel(kind Kind, name []byte) *channel {
	ch := &channel{room: r, kind: kind, name: r.name, home: -1}
	if r.name != string(name) {
		ch.name = string(name)
	}
	return ch
}

// subscribe counts one more subscriber and returns the channel and the loop's
// reader of the room's log.
func (d *directory) subscribe(kind Kind, name []byte, loop int, inbox *ring.Inbox[*run]) (*channel, *ring.Reader[*run]) {
	rn := roomName(name)
	sh := d.shard(rn)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	r := d.room(sh, rn)
	reader, _ := r.log.Join(inbox) // open: a room in the directory is never closed
	ch := r.channels.find(kind, name)
	if ch == nil {
		ch = r.channel(kind, name)
		ch.home = int32(loop)
		if _, owned := sh.owned[r.name]; owned {
			ch.owned.Store(true)
		}
		r.channels.add(ch)
		d.channels[kind].Add(1)
	}
	ch.subscribers.Add(1)
	return ch, reader
}

// unsubscribe counts one subscriber less.
func (d *directory) unsubscribe(ch *channel) {
	sh := d.shard([]byte(ch.room.name))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if ch.subscribers.Add(-1) == 0 {
		ch.room.channels.remove(ch)
		d.channels[ch.kind].Add(-1)
		d.forget(sh, ch.room)
	}
}

// release forgets a room that has no subscriber and no reader. A loop calls it
// when it has left the room's log, or has appended to nobody.
func (d *directory) release(r *room) {
	sh := d.shard([]byte(r.name))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	d.forget(sh, r)
}

func (d *directory) forget(sh *shard, r *room) {
	if sh.rooms[r.name] == r && r.channels.empty() && r.log.Close() {
		delete(sh.rooms, r.name)
		d.rooms.Add(-1)
	}
}

func (d *directory) room(sh *shard, name []byte) *room {
	r := sh.rooms[string(name)]
	if r == nil {
		r = &room{name: string(name)}
		sh.rooms[r.name] = r
		d.rooms.Add(1)
	}
	return r
}

// own says whether loops may publish to the room without its lane, from now on.
func (d *directory) own(name string, own bool) {
	sh := d.shard([]byte(name))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case !own:
		delete(sh.owned, name)
	case sh.owned == nil:
		sh.owned = map[string]struct{}{name: {}}
	default:
		sh.owned[name] = struct{}{}
	}
	if r := sh.rooms[name]; r != nil {
		r.channels.each(func(ch *channel) { ch.owned.Store(own) })
	}
}

// channelsOf returns the room's channels that have a subscriber.
func (d *directory) channelsOf(room string) (channels []*channel) {
	sh := d.shard([]byte(room))
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	if r := sh.rooms[room]; r != nil {
		r.channels.each(func(ch *channel) { channels = append(channels, ch) })
	}
	return channels
}

// each calls yield for each channel of the kind with its subscribers, a
// shard at a time: what changes meanwhile in another shard may show or not.
func (d *directory) each(kind Kind, yield func(name string, subscribers int64)) {
	for i := range d.shards {
		sh := &d.shards[i]
		sh.mu.RLock()
		for _, r := range sh.rooms {
			r.channels.each(func(ch *channel) {
				if ch.kind == kind {
					yield(ch.name, ch.subscribers.Load())
				}
			})
		}
		sh.mu.RUnlock()
	}
}
