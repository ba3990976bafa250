package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	centrifuge "github.com/centrifugal/centrifuge-go"
)

// heardMax is how many events a visitor may have that nobody asked for yet; more than any fact here causes.
const heardMax = 1000

// visitor is a client of a node, in the chat. What it sees there is put into words.
type visitor struct {
	node   *node
	name   string
	client *centrifuge.Client
	sub    *centrifuge.Subscription
	heard  chan string
}

func newVisitor(n *node, name string) *visitor {
	return &visitor{node: n, name: name, heard: make(chan string, heardMax)}
}

// enters connects to the node and subscribes.
func (v *visitor) enters() error {
	v.client = centrifuge.NewJsonClient(v.node.url, centrifuge.Config{Name: v.name})
	v.client.OnDisconnected(func(centrifuge.DisconnectedEvent) { v.heard <- "is gone" })
	var err error
	if v.sub, err = v.client.NewSubscription(chat, centrifuge.SubscriptionConfig{JoinLeave: true}); err != nil {
		return err
	}
	v.sub.OnSubscribed(func(centrifuge.SubscribedEvent) { v.heard <- "is in" })
	v.sub.OnUnsubscribed(func(centrifuge.UnsubscribedEvent) { v.heard <- "is out" })
	v.sub.OnJoin(func(e centrifuge.JoinEvent) { v.heard <- e.User + " joins" })
	v.sub.OnLeave(func(e centrifuge.LeaveEvent) { v.heard <- e.User + " leaves" })
	v.sub.OnPublication(func(e centrifuge.PublicationEvent) {
		var text string
		if err := json.Unmarshal(e.Data, &text); err != nil {
			text = err.Error()
		}
		v.heard <- text
	})
	if err := v.client.Connect(); err != nil {
		return err
	}
	return v.subscribes()
}

// subscribes returns when the visitor has seen itself join, so when its node has heard what was said until then.
func (v *visitor) subscribes() error {
	if err := v.sub.Subscribe(); err != nil {
		return err
	}
	if err := v.hears("is in")(); err != nil {
		return err
	}
	return v.hears(v.name + " joins")()
}

func (v *visitor) publishes(text string) step {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, err := v.sub.Publish(ctx, quote(text))
		return err
	}
}

func (v *visitor) goes() error {
	v.client.Close()
	return nil
}

// hears waits for what comes next, which must be this.
func (v *visitor) hears(want string) step {
	return func() error {
		select {
		case got := <-v.heard:
			if got != want {
				return fmt.Errorf("%s hears %q, want %q", v.name, got, want)
			}
			return nil
		case <-time.After(patience):
			return fmt.Errorf("%s does not hear %q", v.name, want)
		}
	}
}

// quote returns the text as the JSON that a publication must be.
func quote(text string) []byte {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return data
}
