package rest

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"hubsub/cluster"
)

// Node is what the API needs of a cluster.Node. Any goroutine calls it.
type Node interface {
	Place(ctx context.Context, room string, o cluster.RoomOptions) (cluster.Room, error)
	Inspect(ctx context.Context, room string) (cluster.Room, []cluster.NodeView, error)
	CloseRoom(ctx context.Context, room string) error
	Rooms(ctx context.Context, cursor uint64, count int) (next uint64, rooms []cluster.Room, err error)
	Nodes() []cluster.NodeStatus
}

// Config is what the API is made of.
type Config struct {
	Node  Node
	Token string                          // that requests must bear; "" for none
	Match func(pattern, name []byte) bool // as PSUBSCRIBE matches
	Log   *slog.Logger
}

// api is the handler of /v1/.
type api struct {
	// Set once.
	Config
	token  [sha256.Size]byte
	routes http.Handler
	shared allowance // of connections without one of their own

	// Any goroutine, atomic.
	logged atomic.Int64 // when an error that nobody expected was last logged, Unix ns
}

// New returns the handler of /v1/. Its server must have ConnContext.
func New(c Config) http.Handler {
	a := &api{Config: c, token: sha256.Sum256([]byte(c.Token))}
	mux := http.NewServeMux()
	for pattern, methods := range routes {
		mux.Handle(pattern, a.methods(methods))
	}
	mux.HandleFunc("/", notFound)
	a.routes = mux
	return a
}

// operation answers one method of one path.
type operation func(a *api, w http.ResponseWriter, r *http.Request)

// routes is all there is.
var routes = map[string]map[string]operation{
	"/v1/rooms":        {http.MethodGet: (*api).listRooms},
	"/v1/rooms/{room}": {http.MethodGet: (*api).getRoom, http.MethodPut: (*api).putRoom, http.MethodDelete: (*api).deleteRoom},
	"/v1/nodes":        {http.MethodGet: (*api).listNodes},
	"/v1/openapi.json": {http.MethodGet: (*api).describe},
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // it is true for now only
	if a.Token != "" && !a.bears(r) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="hubsub"`)
		unauthorized.answer(w, "the request does not bear the token that --http-token asks for")
		return
	}
	if escaped := r.URL.EscapedPath(); path.Clean(escaped) != escaped {
		notFound(w, r) // the mux would send the client elsewhere
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestTimeMax)
	defer cancel()
	a.routes.ServeHTTP(w, r.WithContext(ctx))
}

// bears reports whether the request has the token, in a time that does not
// tell how near a wrong one is.
func (a *api) bears(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], a.token[:]) == 1
}

// methods answers the methods of one path. What answers GET answers HEAD: the
// server leaves the body out.
func (a *api) methods(operations map[string]operation) http.Handler {
	var allowed []string
	for method := range operations {
		allowed = append(allowed, method)
		if method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		operation := operations[method]
		if operation == nil {
			w.Header().Set("Allow", allow)
			badMethod.answer(w, "this path knows "+allow)
			return
		}
		operation(a, w, r)
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	noPath.answer(w, "there is nothing at this path; /v1/openapi.json tells what there is")
}

//go:embed openapi.json
var document []byte

func (a *api) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document) // fails only on a connection that is lost
}
