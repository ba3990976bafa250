package engine

// subscriptions are a session's ends of its ties to audiences, numbered from 0.
// Most sessions have one, which costs no memory of its own.
type subscriptions struct {
	only subscription // while there is one
	many *manySubscriptions
}

type manySubscriptions struct {
	list   []subscription
	places map[*audience]int32 // in list; nil while list is short
}

// subscription is one end of the tie between a session and an audience.
type subscription struct {
	audience *audience
	place    int32
	list     listIndex
	told     bool // its lane knows that it ends
}

func (s *subscriptions) count() int {
	switch {
	case s.many != nil:
		return len(s.many.list)
	case s.only.audience != nil:
		return 1
	default:
		return 0
	}
}

func (s *subscriptions) at(i int) *subscription {
	if s.many != nil {
		return &s.many.list[i]
	}
	return &s.only
}

// find returns the number of the subscription to a, or -1.
func (s *subscriptions) find(a *audience) int {
	if s.many != nil && s.many.places != nil {
		if i, ok := s.many.places[a]; ok {
			return int(i)
		}
		return -1
	}
	for i := range s.count() {
		if s.at(i).audience == a {
			return i
		}
	}
	return -1
}

// add adds a subscription to a, as the last.
func (s *subscriptions) add(a *audience) {
	switch s.count() {
	case 0:
		s.only.audience = a
		return
	case 1:
		s.many = &manySubscriptions{list: []subscription{s.only}}
		s.only = subscription{}
	}
	m := s.many
	m.list = append(m.list, subscription{audience: a})
	switch {
	case m.places != nil:
		m.places[a] = int32(len(m.list) - 1)
	case len(m.list) >= indexedSubscriptionsMin:
		m.places = make(map[*audience]int32, 2*len(m.list))
		for i := range m.list {
			m.places[m.list[i].audience] = int32(i)
		}
	}
}

// remove removes number i and reports whether the last has taken its place.
func (s *subscriptions) remove(i int) (moved bool) {
	m := s.many
	if m == nil {
		s.only = subscription{}
		return false
	}
	last := len(m.list) - 1
	delete(m.places, m.list[i].audience)
	if moved = i != last; moved {
		m.list[i] = m.list[last]
		if m.places != nil {
			m.places[m.list[i].audience] = int32(i)
		}
	}
	m.list[last] = subscription{}
	m.list = m.list[:last]
	if last == 1 {
		s.only, s.many = m.list[0], nil
	}
	return moved
}
