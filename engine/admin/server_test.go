package admin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/trace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestPages(t *testing.T) {
	s := serve(t)
	f := func(path string, status int, parts ...string) {
		t.Helper()
		got, body := s.get(path)
		if got != status {
			t.Errorf("%s: %d, want %d", path, got, status)
		}
		for _, part := range parts {
			if !strings.Contains(body, part) {
				t.Errorf("%s: no %q in %q", path, part, body)
			}
		}
	}
	f("/", http.StatusOK, "/metrics", "/healthz", "/debug/pprof/")
	f("/metrics", http.StatusOK, "hubsub_clients 0")
	f("/healthz", http.StatusOK, "ok\n")
	f("/readyz", http.StatusOK, "ok\n")
	f("/v1/rooms", http.StatusNotFound) // there is no cluster
	f("/debug/pprof/", http.StatusOK, "goroutine", "heap")
	f("/debug/pprof/goroutine?debug=1", http.StatusOK, "goroutine profile:")
	f("/debug/pprof/heap", http.StatusOK)
	f("/debug/pprof/profile?seconds=1", http.StatusOK)
	f("/debug/pprof/trace?seconds=0.1", http.StatusOK)
	f("/debug/pprof/symbol", http.StatusOK, "num_symbols")
	f("/nosuch", http.StatusNotFound)

	f("/debug/pprof/cmdline", http.StatusNotFound) // it may hold a password
	http.HandleFunc("/somebody", func(w http.ResponseWriter, _ *http.Request) {})
	f("/somebody", http.StatusNotFound)

	answer, err := http.Post("http://"+s.Addr().String()+"/metrics", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", answer.StatusCode)
	}
}

func TestHealthWhileTheServerEnds(t *testing.T) {
	s := serve(t)
	s.BeginShutdown()
	if status, body := s.get("/healthz"); status != http.StatusServiceUnavailable || body != "shutting down\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || body != "shutting down\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, _ := s.get("/metrics"); status != http.StatusOK {
		t.Errorf("no metrics while the server ends: %d", status)
	}
}

// A node that is not in its cluster yet is healthy and not ready. The API gets
// what is its own, as it was written.
func TestCluster(t *testing.T) {
	var fault atomic.Pointer[error]
	type key struct{}
	s := serveIn(t, []Cluster{{
		Ready: func() error {
			if err := fault.Load(); err != nil {
				return *err
			}
			return nil
		},
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprint(w, r.URL.EscapedPath(), " ", r.Context().Value(key{}))
		}),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, key{}, "kept") },
		Collector:   prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "hubsub_cluster_members"}, func() float64 { return 3 }),
	}})
	f := func(path string, status int, body string) {
		t.Helper()
		if got, text := s.get(path); got != status || text != body {
			t.Errorf("%s: %d %q, want %d %q", path, got, text, status, body)
		}
	}
	err := errors.New("no leader yet")
	fault.Store(&err)
	f("/healthz", http.StatusOK, "ok\n")
	f("/readyz", http.StatusServiceUnavailable, "no leader yet\n")
	fault.Store(nil)
	f("/readyz", http.StatusOK, "ok\n")
	f("/v1/rooms/a%2Fb%20c", http.StatusOK, "/v1/rooms/a%2Fb%20c kept")
	f("/v1/rooms/%2F%2F", http.StatusOK, "/v1/rooms/%2F%2F kept")
	s.shows(map[string]float64{"hubsub_cluster_members": 3, "hubsub_clients": 0})
	for range connectionsMax + 1 { // applications are more than operators
		if _, err := s.keepOpen(); err != nil {
			t.Fatal(err)
		}
	}
	s.BeginShutdown()
	if status, body := s.get("/readyz"); status != http.StatusServiceUnavailable || body != "shutting down\n" {
		t.Errorf("%d %q", status, body)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	taken := serve(t).Addr().String()
	f := func(addr, advice string) {
		t.Helper()
		s, err := Listen(addr, nil, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Close(context.Background())
			t.Errorf("%s: no error", addr)
			return
		}
		if want := "cannot listen on --http " + addr + ": "; !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), advice) {
			t.Errorf("%v\nwant %q … %q", err, want, advice)
		}
	}
	f(taken, "choose another port")
	f("8080", "give host:port, such as 127.0.0.1:8080")
	f("127.0.0.1", "give host:port, such as 127.0.0.1:8080")
	f("127.0.0.1:99999", "give host:port, such as 127.0.0.1:8080")
	f("192.0.2.1:8080", "give an address of this machine, such as 127.0.0.1:8080") // for documentation only, RFC 5737
}

func TestWarningUnlessLoopback(t *testing.T) {
	f := func(addr string, warns bool) {
		t.Helper()
		var log bytes.Buffer
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		warnIfOpen(tcp, slog.New(slog.NewTextHandler(&log, nil)))
		if got := strings.Contains(log.String(), "level=WARN") && strings.Contains(log.String(), addr); got != warns {
			t.Errorf("%s: logged %q", addr, log.String())
		}
	}
	f("127.0.0.1:8080", false)
	f("127.1.2.3:8080", false)
	f("[::1]:8080", false)
	f("0.0.0.0:8080", true)
	f("[::]:8080", true)
	f("192.0.2.1:8080", true)
}

// keepOpen asks for the health and leaves the connection open.
func (s *site) keepOpen() (net.Conn, error) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	return conn, nil
}

func TestOneConnectionTooMany(t *testing.T) {
	s := serve(t)
	var first net.Conn
	for range connectionsMax {
		conn, err := s.keepOpen()
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = conn
		}
	}
	var timeout net.Error
	if _, err := s.keepOpen(); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("one more than %d got %v, want its end", connectionsMax, err)
	}
	first.Close()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := s.keepOpen(); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal("there is no place after a connection was closed")
		}
	}
}

func TestCloseCutsOffWhatTakesTooLong(t *testing.T) {
	s := serve(t)
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "GET /debug/pprof/trace?seconds=600 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); !trace.IsEnabled(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no trace runs")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	var timeout net.Error
	if _, err := io.Copy(io.Discard, conn); errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("the connection is open")
	}
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("the address is open")
	}
}
