package rest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"hubsub/cluster"
)

// problem is a kind of error as RFC 9457 tells it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// The problems there are. Programs tell them apart by type.
var (
	badRequest   = problem{Type: "urn:hubsub:bad-request", Title: "The request makes no sense", Status: http.StatusBadRequest}
	badName      = problem{Type: "urn:hubsub:bad-name", Title: "No room can have this name", Status: http.StatusBadRequest}
	unauthorized = problem{Type: "urn:hubsub:unauthorized", Title: "A token is needed", Status: http.StatusUnauthorized}
	noPath       = problem{Type: "urn:hubsub:no-path", Title: "No such path", Status: http.StatusNotFound}
	noRoom       = problem{Type: "urn:hubsub:no-room", Title: "No such room", Status: http.StatusNotFound}
	badMethod    = problem{Type: "urn:hubsub:bad-method", Title: "This path does not know the method", Status: http.StatusMethodNotAllowed}
	longBody     = problem{Type: "urn:hubsub:long-body", Title: "The body is too long", Status: http.StatusRequestEntityTooLarge}
	noNode       = problem{Type: "urn:hubsub:no-node", Title: "No node can host the room as asked", Status: http.StatusUnprocessableEntity}
	tooOften     = problem{Type: "urn:hubsub:too-often", Title: "Too many requests on this connection", Status: http.StatusTooManyRequests}
	tooManyRooms = problem{Type: "urn:hubsub:too-many-rooms", Title: "The cluster has as many rooms as it may", Status: http.StatusInsufficientStorage}
	tryAgain     = problem{Type: "urn:hubsub:try-again", Title: "Try again", Status: http.StatusServiceUnavailable}
	noLeader     = problem{Type: "urn:hubsub:no-leader", Title: "The cluster has no leader", Status: http.StatusServiceUnavailable}
	unexpected   = problem{Type: "urn:hubsub:unexpected", Title: "Unexpected error", Status: http.StatusInternalServerError}
)

// causes says which problem an error of the cluster is.
var causes = []struct {
	err error
	problem
}{
	{cluster.ErrNoRoom, noRoom},
	{cluster.ErrBadName, badName},
	{cluster.ErrNoNode, noNode},
	{cluster.ErrTooMany, tooManyRooms},
	{cluster.ErrTryAgain, tryAgain},
	{cluster.ErrNoLeader, noLeader},
	{context.DeadlineExceeded, tryAgain},
	{context.Canceled, tryAgain}, // the client has gone
}

// answer sends the problem with what is wrong this time.
func (p problem) answer(w http.ResponseWriter, detail string) {
	p.Detail = detail
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", retryAfter)
	}
	send(w, p.Status, "application/problem+json", p)
}

// refuse answers an error of the cluster.
func (a *api) refuse(w http.ResponseWriter, err error) {
	for _, c := range causes {
		if errors.Is(err, c.err) {
			c.answer(w, err.Error())
			return
		}
	}
	now, last := time.Now().UnixNano(), a.logged.Load()
	if now-last >= int64(problemInterval) && a.logged.CompareAndSwap(last, now) {
		a.Log.Warn("cannot answer a request for the cluster", "error", err)
	}
	unexpected.answer(w, err.Error())
}
