package rest

import (
	"context"
	"net"
	"sync"
	"time"
)

// allowance is how many PUTs a connection has left.
type allowance struct {
	mu   sync.Mutex
	full time.Time // from when on it has all of them; guarded by mu
}

// take takes one, if there is one.
func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	full := a.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(putInterval)
	if full.Sub(now) > putBurst*putInterval {
		return false
	}
	a.full = full
	return true
}

type allowanceKey struct{}

// ConnContext gives each connection an allowance of its own; it is for
// http.Server.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, allowanceKey{}, new(allowance))
}

// allowanceOf returns the allowance of a request's connection.
func (a *api) allowanceOf(ctx context.Context) *allowance {
	if own, ok := ctx.Value(allowanceKey{}).(*allowance); ok {
		return own
	}
	return &a.shared
}
