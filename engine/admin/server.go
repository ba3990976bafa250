package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"hubsub/engine"
)

// index is what / answers.
const index = `HubSub, for operators:

/metrics        figures for Prometheus
/healthz        200 while clients are served, 503 while the server ends
/readyz         200 while new clients may be sent here, 503 while not
/v1/            the cluster's rooms and nodes; /v1/openapi.json describes it
/debug/pprof/   profiles, for "go tool pprof"
`

// Server answers operators. Its methods may be called from any goroutine.
type Server struct {
	// Set once.
	http           *http.Server
	listener       net.Listener
	log            *slog.Logger
	cluster        Cluster
	connectionsMax int64
	ended          chan struct{} // closed when nothing is accepted any more

	// Any goroutine, atomic.
	ending      atomic.Bool  // the server is shutting down
	connections atomic.Int64 // that net/http has
}

// Cluster is what the address answers for a node of one. Any goroutine calls it.
type Cluster struct {
	Ready       func() error                                    // nil if rooms can be asked for, else why not
	API         http.Handler                                    // /v1/
	ConnContext func(context.Context, net.Conn) context.Context // http.Server's, for what API keeps per connection
	Collector   prometheus.Collector                            // more figures for /metrics
}

// Listen opens addr (host:port; port 0 takes a free one) and serves the figures
// of the engine there until Close, and the API of a cluster, if there is one.
// Errors say what to change.
func Listen(addr string, e *engine.Engine, log *slog.Logger, cluster ...Cluster) (*Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on --http %s: %w%s", addr, err, advice(err))
	}
	s := &Server{listener: ln, log: log, connectionsMax: connectionsMax, ended: make(chan struct{})}
	for _, c := range cluster {
		s.cluster, s.connectionsMax = c, APIConnectionsMax
	}
	s.http = &http.Server{
		Handler:        s.routes(e),
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: headerBytesMax,
		ConnState:      s.count,
		ConnContext:    s.cluster.ConnContext,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug), // a peer's faults
	}
	log.Info("serving metrics, health and profiles over HTTP", "http", ln.Addr().String())
	warnIfOpen(ln.Addr(), log)
	go s.serve()
	return s, nil
}

// advice says what helps against an error of net.Listen.
func advice(err error) string {
	var badAddress *net.AddrError
	var unknownHost *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another process listens there; choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &unknownHost):
		return ": give an address of this machine, such as 127.0.0.1:8080"
	case errors.Is(err, syscall.EACCES):
		return ": choose a port from 1024 on, or allow the process to take lower ones"
	case errors.As(err, &badAddress):
		return ": give host:port, such as 127.0.0.1:8080"
	default:
		return ""
	}
}

// warnIfOpen warns of an address that other machines may reach.
func warnIfOpen(addr net.Addr, log *slog.Logger) {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		log.Warn("the HTTP address has no password, at most a token for /v1/, and is not loopback: "+
			"let only operators reach it, or use --http 127.0.0.1:PORT", "http", addr.String())
	}
}

func (s *Server) serve() {
	defer close(s.ended)
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("cannot serve metrics, health and profiles any more", "error", err)
	}
}

// count closes a new connection that is one too many. It is net/http's callback
// for connections that change their state.
func (s *Server) count(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.connections.Add(1) > s.connectionsMax {
			c.Close()
		}
	case http.StateClosed:
		s.connections.Add(-1)
	}
}

// routes is a mux of our own: what other packages put into http.DefaultServeMux
// is nobody's business here.
func (s *Server) routes(e *engine.Engine) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, index) })
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	if s.cluster.API != nil {
		mux.Handle("/v1/", s.cluster.API)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry(e, s.cluster.Collector), promhttp.HandlerOpts{
		MaxRequestsInFlight: scrapesMax,
		ErrorLog:            slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}))
	// Index has all profiles but the two that run for a time. "go tool pprof"
	// posts to symbol.
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	return mux
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	if s.ending.Load() {
		say(w, http.StatusServiceUnavailable, "shutting down\n")
		return
	}
	say(w, http.StatusOK, "ok\n")
}

// ready is for who decides where new clients go. Without a cluster it is health.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.cluster.Ready != nil && !s.ending.Load() {
		if err := s.cluster.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
	}
	s.health(w, r)
}

// say answers with plain text that is true for now only.
func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // fails only on a connection that is lost
}

// Addr returns the address that is listened on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// BeginShutdown makes /healthz and /readyz answer 503 from now on. Everything else goes on
// until Close.
func (s *Server) BeginShutdown() { s.ending.Store(true) }

// Close stops listening, waits until what was asked for is answered, and cuts
// off what is not when ctx ends, as a profile that runs for minutes.
func (s *Server) Close(ctx context.Context) error {
	s.BeginShutdown()
	err := s.http.Shutdown(ctx)
	if err != nil && errors.Is(err, ctx.Err()) {
		err = s.http.Close()
	}
	<-s.ended
	if err != nil {
		return fmt.Errorf("cannot close the HTTP address: %w", err)
	}
	return nil
}
