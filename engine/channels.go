package engine

// channels are those of one room that have subscribers. Most rooms have one,
// which costs no memory of its own.
type channels struct {
	only *channel // while there is one
	many *manyChannels
}

type manyChannels struct {
	list   []*channel               // list[i].place is i
	byName map[channelName]*channel // nil while list is short
}

// channelName is the key of a channel in its room.
type channelName struct {
	kind Kind
	name string
}

func (ch *channel) is(kind Kind, name []byte) bool { return ch.kind == kind && ch.name == string(name) }

func (c *channels) empty() bool { return c.only == nil && c.many == nil }

func (c *channels) each(yield func(*channel)) {
	if c.only != nil {
		yield(c.only)
	} else if c.many != nil {
		for _, ch := range c.many.list {
			yield(ch)
		}
	}
}

// find returns the channel, or nil.
func (c *channels) find(kind Kind, name []byte) *channel {
	switch m := c.many; {
	case m == nil:
		if c.only != nil && c.only.is(kind, name) {
			return c.only
		}
	case m.byName != nil:
		return m.byName[channelName{kind, string(name)}]
	default:
		for _, ch := range m.list {
			if ch.is(kind, name) {
				return ch
			}
		}
	}
	return nil
}

func (c *channels) add(ch *channel) {
	if c.empty() {
		c.only = ch
		return
	}
	if c.many == nil {
		c.only.place = 0
		c.many = &manyChannels{list: []*channel{c.only}}
		c.only = nil
	}
	m := c.many
	ch.place = int32(len(m.list))
	m.list = append(m.list, ch)
	switch {
	case m.byName != nil:
		m.byName[channelName{ch.kind, ch.name}] = ch
	case len(m.list) >= indexedChannelsMin:
		m.byName = make(map[channelName]*channel, 2*len(m.list))
		for _, ch := range m.list {
			m.byName[channelName{ch.kind, ch.name}] = ch
		}
	}
}

func (c *channels) remove(ch *channel) {
	m := c.many
	if m == nil {
		c.only = nil
		return
	}
	delete(m.byName, channelName{ch.kind, ch.name})
	last := len(m.list) - 1
	moved := m.list[last]
	m.list[ch.place], moved.place = moved, ch.place
	m.list[last] = nil
	m.list = m.list[:last]
	if last == 1 {
		c.only, c.many = m.list[0], nil
	}
}
