package command

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync/atomic"
	"time"

	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// Server is what the commands need of the process around the engine. Any
// goroutine calls it, several at a time.
type Server interface {
	// Options calls yield for every parameter that CONFIG GET shows.
	Options(yield func(name, value string))
	// SetOptions sets all of the named parameters or none. The error is the
	// answer of CONFIG SET, in Redis's words but without the code ERR.
	SetOptions(pairs [][2]string) error
	// UsersChanged is called when a command has changed the default user: what
	// follows for the engine's Settings ProtectedMode and Open is for the process.
	UsersChanged()
	// Shutdown begins to end the process and returns at once.
	Shutdown()
}

// Config is what the commands report and call.
type Config struct {
	Server     Server
	Port       int    // of the first TCP listener, 0 for none
	ConfigFile string // its path, "" for none
	Rooms      Rooms  // nil without --cluster
}

// Handler executes commands. It is an engine.Handler; one serves all loops.
type Handler struct {
	// Set once.
	Config
	Users   *acl.Users // who clients can be; any goroutine may change them
	table   *table
	started time.Time
	runID   string // 40 hexadecimal digits, new for each process

	// Any goroutine.
	denials denials      // ACL LOG
	asking  atomic.Int64 // clients that wait for an answer of the cluster
}

// New returns the handler for an engine.
func New(c Config) *Handler {
	var id [20]byte
	rand.Read(id[:]) // never fails
	table := newTable(commands())
	return &Handler{
		Config:  c,
		Users:   acl.NewUsers(table.catalog),
		table:   table,
		started: time.Now(),
		runID:   hex.EncodeToString(id[:]),
	}
}

// Open begins a connection: everybody is the default user if that one needs no
// password.
func (h *Handler) Open(s *engine.Session) {
	if account := h.Users.Default(); account.User().Open() {
		become(s, account)
	} else {
		become(s, nil)
	}
}

// Close ends a connection.
func (h *Handler) Close(s *engine.Session) { s.Context = nil }

// Execute runs one command, refuses it, or queues it after MULTI.
func (h *Handler) Execute(s *engine.Session, words *resp.Command) {
	cmd, fault := h.table.find(words.Args)
	if cmd != nil && s.LastCommand.Load() != &cmd.full {
		s.LastCommand.Store(&cmd.full)
	}
	if cmd == nil && fromBrowser(words.Args[0]) {
		s.Finish()
		return
	}
	memory := recall(s)
	if fault == "" {
		fault = h.refusal(s, memory, cmd, words)
	}
	switch {
	case fault != "":
		refuse(s, memory, cmd, fault)
	case memory != nil && memory.tx != nil && cmd.flags&immediate == 0:
		queue(s, memory.tx, cmd, words)
	default:
		cmd.run(call{h: h, s: s, cmd: cmd, words: words})
	}
	if memory = recall(s); memory != nil {
		memory.endCommand(s)
	}
}

// fromBrowser reports whether an unknown command is a line of HTTP: a web page
// makes its visitor's browser talk to us. Redis closes such a connection
// without a word, before a later line that looks like a command.
func fromBrowser(name []byte) bool { return is(name, "POST") || is(name, "HOST:") }

// refusal returns the error that a known command is answered with instead of
// being executed, or "".
func (h *Handler) refusal(s *engine.Session, memory *memory, cmd *command, words *resp.Command) string {
	user := h.user(s)
	switch {
	case cmd.flags&noAuth == 0 && user == nil:
		return faultNoAuth
	case memory != nil && memory.tx != nil && cmd.flags&noMulti != 0:
		return faultNotInMulti
	case cmd.flags&noAuth == 0:
		if verdict, at := user.Check(cmd.access, words.Args); verdict != acl.Allowed {
			h.logDenial(s, cmd, verdict, words.Args[at], contextOf(s))
			return noPermission(cmd, verdict)
		}
	}
	if cmd.flags&inSubscribed == 0 && s.Protocol() == 2 && subscribed(s) {
		return notInSubscribed(cmd)
	}
	return ""
}

// refuse answers the error. It spoils the transaction that is being queued; an
// EXEC that is refused ends it.
func refuse(s *engine.Session, memory *memory, cmd *command, fault string) {
	if memory != nil && memory.tx != nil {
		memory.tx.spoiled = true
	}
	if cmd != nil && cmd.full == "exec" {
		if memory != nil {
			memory.endTransaction(s)
		}
		fault = "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(fault, "ERR ")
	}
	s.Reply().Error(fault)
}

// subscribed reports whether the client has a subscription of any kind.
func subscribed(s *engine.Session) bool {
	return s.Subscriptions(engine.Channel) > 0 || s.Subscriptions(engine.Pattern) > 0 ||
		s.Subscriptions(engine.Shard) > 0
}
