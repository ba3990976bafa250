package engine

import (
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tryListen(t *testing.T, l Listen) (*Engine, error) {
	return New(Config{Loops: 1, Listen: l, Settings: defaultSettings(), Handler: plainHandler{},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
}

func TestListenRefusesWhatIsTaken(t *testing.T) {
	f := func(name string, l Listen, want string) {
		t.Helper()
		if _, err := tryListen(t, l); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", name, err, want)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	f("port", Listen{Bind: []string{"127.0.0.1"}, Port: taken.Addr().(*net.TCPAddr).Port}, "Address already in use")
	f("nothing to listen on", Listen{}, "neither")
	f("address elsewhere", Listen{Bind: []string{"-203.0.113.1"}, Port: 1}, "no address of --bind")

	dir := t.TempDir()
	f("directory", Listen{UnixSocket: dir}, "no socket")
	if _, err := os.Stat(dir); err != nil {
		t.Errorf("the directory is gone: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("file", Listen{UnixSocket: file}, "no socket")
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("the file holds %q", b)
	}
	h := newHub(t, 1, nil)
	f("socket in use", Listen{UnixSocket: h.path}, "another server listens there")
	h.dial().quiet()
}

// A dead server's socket is taken over, and gets its permissions.
func TestListenTakesOverStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stale")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close()
	e, err := tryListen(t, Listen{UnixSocket: path, UnixMode: 0o640})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions %v, error %v", info.Mode().Perm(), err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	(&hub{Engine: e, t: t, path: path}).dial().quiet()
	if err := e.Shutdown(); err != nil {
		t.Error(err)
	}
}

func TestMaxClients(t *testing.T) {
	h := newHub(t, 2, func(s *Settings) { s.MaxClients = 3 })
	for range 3 {
		h.dial().quiet()
	}
	h.dial().want("ERR max number of clients reached")
	settings := h.Settings()
	settings.MaxClients = 4
	h.SetSettings(settings)
	h.dial().quiet()
	if st := h.Stats(); st.ConnectionsRejected != 1 || st.Connections != 4 {
		t.Errorf("%+v", st)
	}
}

// A client that shuts down its sending side gets the answers to what it sent,
// and then the end.
func TestHalfClosedClientGetsItsAnswers(t *testing.T) {
	h := newHub(t, 2, nil)
	for range 200 {
		p := h.dial()
		p.send("ONE")
		p.send("TWO")
		if err := p.Conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		p.want("ONE")
		p.want("TWO")
		if _, err := p.next(); err != io.EOF {
			t.Fatalf("after the answers: %v, want the end", err)
		}
	}
}

// What follows QUIT is not executed; its answer and all before arrive.
func TestFinishAnswersFirst(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	batch := append(append(encode("ONE"), encode("QUIT")...), encode("PUBLISH", "a", "b")...)
	if _, err := p.Write(batch); err != nil {
		t.Fatal(err)
	}
	p.want("ONE")
	p.want("OK")
	p.wantClosed()
	if n := h.Stats().Published; n != 0 {
		t.Errorf("%d publishes after QUIT", n)
	}
}
