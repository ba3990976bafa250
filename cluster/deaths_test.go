package cluster

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

func TestDeaths(t *testing.T) {
	d := newDeaths()
	f := func(what string, so, proved bool) {
		t.Helper()
		if d.has("a") != so || d.proved("a") != proved {
			t.Errorf("%s: dead %v, proved %v", what, d.has("a"), d.proved("a"))
		}
	}
	f("at first", false, false)
	if !d.note("a", false) || d.note("a", false) {
		t.Error("silence is news once")
	}
	f("silent", true, false)
	d.hear("a")
	f("heard", false, false)
	d.note("a", true)
	if d.note("a", false) {
		t.Error("silence after a proof is news")
	}
	d.hear("a") // what it had sent before it ended
	f("gone", true, true)
	d.refute("a")
	f("back", false, false)
	d.note("a", true)
	d.bury("a")
	f("buried", false, false)
}

func TestDeathsMissed(t *testing.T) {
	d := newDeaths()
	f := func(now time.Duration, heard, want bool) {
		t.Helper()
		if got := d.miss(now, "a", heard); got != want {
			t.Errorf("at %v: %v", now, got)
		}
	}
	f(1, false, false)
	f(silentFor, false, false)
	f(1+silentFor, false, true)
	f(2+silentFor, true, false)
	f(3+silentFor, false, false)
	f(3+2*silentFor, false, true)
	d.bury("a")
	f(4+2*silentFor, false, false)
}

func TestFind(t *testing.T) {
	f := func(answers placement.Name, err error, want finding) {
		t.Helper()
		if got := find("a/1", port.Greeting{Name: answers}, err); got != want {
			t.Errorf("%q, %v: %d, want %d", answers, err, got, want)
		}
	}
	f("a/1", nil, alive)
	f("a/2", nil, gone)
	f("", nil, unclear)
	f("", errors.New("timeout"), silent)
	f("", fmt.Errorf("cannot dial: %w", syscall.ECONNREFUSED), gone)
}
