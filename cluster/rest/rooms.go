package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/bytedance/sonic"

	"hubsub/cluster"
	"hubsub/cluster/placement"
)

// room is a room as clients see it.
type room struct {
	Room     string   `json:"room"`
	Epoch    string   `json:"epoch"`
	Hosts    []string `json:"hosts"`
	Replicas int      `json:"replicas"`
	Keep     bool     `json:"keep"`
	Pins     []string `json:"pins"`
}

func shown(r *cluster.Room) room {
	s := room{Room: r.Name, Epoch: r.Epoch, Hosts: []string{}, Replicas: r.Want, Keep: r.Keep, Pins: append([]string{}, r.Pins...)}
	for i := range r.Hosts {
		if clients := r.Hosts[i].Clients; len(clients) > 0 {
			s.Hosts = append(s.Hosts, clients[0])
		}
	}
	return s
}

// roomDetail is a room and how the nodes see it that know it.
type roomDetail struct {
	room
	Nodes []roomNode `json:"nodes"`
}

type roomNode struct {
	ID       string           `json:"id"`
	Role     string           `json:"role"`
	Clients  int64            `json:"clients"`
	Key      string           `json:"key"`
	Messages uint64           `json:"messages"`
	Rate     float64          `json:"rate"`
	Gaps     int64            `json:"gaps"`
	Lost     int64            `json:"lost"`
	Audience map[string]int64 `json:"audience"`
}

func detailed(r *cluster.Room, views []cluster.NodeView) roomDetail {
	d := roomDetail{shown(r), []roomNode{}}
	for _, v := range views {
		d.Nodes = append(d.Nodes, roomNode{v.ID, v.Role(), v.Clients, v.Key, v.Number, v.Rate, v.Gaps, v.Lost, v.Audience})
	}
	return d
}

// page is some rooms of many. Next is where the rest begins, "" if there is none.
type page struct {
	Rooms []room `json:"rooms"`
	Next  string `json:"next,omitempty"`
}

// options is the body of a PUT.
type options struct {
	Replicas *int     `json:"replicas"`
	Pins     []string `json:"pins"`
	Keep     bool     `json:"keep"`
}

// strict refuses what the API does not know: a misspelt option shall not be
// taken for none.
var strict = sonic.Config{DisallowUnknownFields: true, CaseSensitive: true, CopyString: true, ValidateString: true}.Froze()

// send answers with JSON.
func send(w http.ResponseWriter, status int, contentType string, body any) {
	text, err := sonic.ConfigStd.Marshal(body)
	if err != nil {
		panic("rest: cannot encode an answer: " + err.Error()) // they hold strings and numbers
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // fails only on a connection that is lost
}

func reply(w http.ResponseWriter, body any) { send(w, http.StatusOK, "application/json", body) }

// named returns the room that the path names; ok is false if the request is
// answered: JSON could not tell its name.
func named(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	name = r.PathValue("room")
	if name == "" || len(name) > placement.RoomNameMax || !utf8.ValidString(name) {
		badName.answer(w, fmt.Sprintf("a room's name has 1 to %d bytes, and here it is UTF-8", placement.RoomNameMax))
		return "", false
	}
	return name, true
}

func (a *api) putRoom(w http.ResponseWriter, r *http.Request) {
	name, ok := named(w, r)
	if !ok {
		return
	}
	o, err := readOptions(w, r)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		longBody.answer(w, fmt.Sprintf("a body has at most %d bytes", bodyBytesMax))
		return
	case err != nil:
		badRequest.answer(w, err.Error())
		return
	}
	if !a.allowanceOf(r.Context()).take() {
		tooOften.answer(w, "a connection may PUT 1000 times a second, and 2000 times at once")
		return
	}
	room, err := a.Node.Place(r.Context(), name, o)
	if err != nil {
		a.refuse(w, err)
		return
	}
	reply(w, shown(&room))
}

// readOptions reads a PUT's body, which may be absent.
func readOptions(w http.ResponseWriter, r *http.Request) (o cluster.RoomOptions, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if err != nil {
		return o, fmt.Errorf("cannot read the body: %w", err)
	}
	if body = bytes.TrimSpace(body); len(body) == 0 {
		return o, nil
	}
	var given options
	if err := strict.Unmarshal(body, &given); err != nil || body[0] != '{' {
		return o, errors.New("the body must be a JSON object with no other members than replicas, a number, pins, a list of node ids, and keep, a boolean")
	}
	if given.Replicas != nil {
		if o.Replicas = *given.Replicas; o.Replicas < 1 || o.Replicas > placement.HostsMax {
			return o, fmt.Errorf("replicas must be 1 to %d, not %d", placement.HostsMax, o.Replicas)
		}
	}
	if len(given.Pins) > placement.HostsMax || slices.Contains(given.Pins, "") {
		return o, fmt.Errorf("pins must be at most %d ids of nodes", placement.HostsMax)
	}
	if len(given.Pins) > 0 && len(given.Pins) < o.Replicas {
		return o, fmt.Errorf("only the nodes of pins host the room: name as many as replicas, %d, or more", o.Replicas)
	}
	o.Pins, o.Keep = given.Pins, given.Keep
	return o, nil
}

func (a *api) getRoom(w http.ResponseWriter, r *http.Request) {
	name, ok := named(w, r)
	if !ok {
		return
	}
	room, views, err := a.Node.Inspect(r.Context(), name)
	if err != nil {
		a.refuse(w, err)
		return
	}
	reply(w, detailed(&room, views))
}

func (a *api) deleteRoom(w http.ResponseWriter, r *http.Request) {
	name, ok := named(w, r)
	if !ok {
		return
	}
	if err := a.Node.CloseRoom(r.Context(), name); err != nil {
		a.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// listRooms answers a page. The pattern is for what the page holds, as in SCAN:
// a page may be empty and not the last one.
func (a *api) listRooms(w http.ResponseWriter, r *http.Request) {
	cursor, count, pattern, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		badRequest.answer(w, err.Error())
		return
	}
	next, rooms, err := a.Node.Rooms(r.Context(), cursor, count)
	if err != nil {
		a.refuse(w, err)
		return
	}
	p := page{Rooms: []room{}}
	if next != 0 {
		p.Next = strconv.FormatUint(next, 10)
	}
	for i := range rooms {
		if pattern == nil || a.Match(pattern, []byte(rooms[i].Name)) {
			p.Rooms = append(p.Rooms, shown(&rooms[i]))
		}
	}
	reply(w, p)
}

func parseQuery(raw string) (cursor uint64, count int, pattern []byte, err error) {
	count = pageRooms
	query, err := url.ParseQuery(raw)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("cannot read the query: %w", err)
	}
	for name, values := range query {
		value := strings.Join(values, "")
		switch {
		case len(values) > 1:
			err = fmt.Errorf("%s stands in the query twice", name)
		case name == "cursor":
			if cursor, err = strconv.ParseUint(value, 10, 64); err != nil {
				err = errors.New("cursor must be what next was in the page before")
			}
		case name == "count":
			if count, err = strconv.Atoi(value); err != nil || count < 1 || count > pageRoomsMax {
				err = fmt.Errorf("count must be 1 to %d", pageRoomsMax)
			}
		case name == "match":
			pattern = []byte(value)
		default:
			err = fmt.Errorf("the query knows cursor, count and match, not %q", name)
		}
		if err != nil {
			return 0, 0, nil, err
		}
	}
	return cursor, count, pattern, nil
}
