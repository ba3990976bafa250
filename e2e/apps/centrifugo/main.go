// Command centrifugo runs two nodes of Centrifugo's engine, the library centrifuge, that know of each other through the
// Redis server on the port of 127.0.0.1 that is its argument, and visitors that use the client library. History and
// presence are off, as in Centrifugo by default; the other options are the defaults too.
//
// It is a list of facts, told one by one as they come true, and ends with code 1 at the first that does not. When it
// prints "ready" the server is to be killed and started again, and a line on standard input says that it runs.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

const (
	// patience bounds every wait; a healthy server needs a small part of it.
	patience = 15 * time.Second

	// poll is how often a state is looked at that tells nobody when it changes.
	poll = 10 * time.Millisecond

	// The channels that a node subscribes to, in Redis's namespace: that of the chat while it has visitors, and that
	// of all nodes.
	chatChannel    = "centrifuge.client." + chat
	controlChannel = "centrifuge.control"
)

func main() {
	addr := "127.0.0.1:" + os.Args[1]
	one, two := &node{redisAddr: addr}, &node{redisAddr: addr}
	server := &observer{addr: addr}
	fact("two nodes start and know of each other", one.starts, two.starts, server.starts, one.knows(2), two.knows(2))

	ann, bob, eve := newVisitor(one, "ann"), newVisitor(two, "bob"), newVisitor(two, "eve")
	fact("visitors enter at both and see each other come", ann.enters,
		bob.enters, ann.hears("bob joins"),
		eve.enters, ann.hears("eve joins"), bob.hears("eve joins"))
	fact("a node is one subscriber for all its visitors", server.counts(chatChannel, 2))
	fact("what one node publishes reaches the visitors of both",
		one.publishes("hello"), ann.hears("hello"), bob.hears("hello"), eve.hears("hello"),
		two.publishes("hi"), ann.hears("hi"), bob.hears("hi"), eve.hears("hi"))
	var numbers []step
	for i := range 100 {
		numbers = append(numbers, ann.publishes(strconv.Itoa(i)))
	}
	for i := range 100 {
		text := strconv.Itoa(i)
		numbers = append(numbers, ann.hears(text), bob.hears(text), eve.hears(text))
	}
	fact("what a visitor publishes does, in order", numbers...)

	fact("a node asks both", one.surveys(2))
	fact("a node ends a subscription at the other one",
		one.unsubscribes("eve"), eve.hears("is out"), ann.hears("eve leaves"), bob.hears("eve leaves"))
	fact("who is out hears no more until it is in again",
		two.publishes("without eve"), ann.hears("without eve"), bob.hears("without eve"),
		eve.subscribes, ann.hears("eve joins"), bob.hears("eve joins"),
		two.publishes("with eve"), ann.hears("with eve"), bob.hears("with eve"), eve.hears("with eve"))

	fact("the nodes subscribe again when the server was killed and is there again",
		restartServer, server.counts(chatChannel, 2), server.counts(controlChannel, 2))
	fact("messages flow again in both directions",
		until(one.publishes("again")), ann.hears("again"), bob.hears("again"), eve.hears("again"),
		until(two.publishes("and again")), ann.hears("and again"), bob.hears("and again"), eve.hears("and again"))

	fact("a node disconnects a visitor of the other one",
		until(one.disconnects("bob")), bob.hears("is gone"), ann.hears("bob leaves"), eve.hears("bob leaves"))
	fact("the server forgets the channel for the node that has no visitor left",
		eve.goes, ann.hears("eve leaves"), server.counts(chatChannel, 1))
	fact("a node that shuts down says so to the other one", two.shutsDown, one.knows(1), one.shutsDown)
}

// step is a part of a fact.
type step func() error

// fact takes the steps in turn and tells the fact. It ends the program at the first that fails.
func fact(text string, steps ...step) {
	for _, take := range steps {
		if err := take(); err != nil {
			fmt.Printf("NOT TRUE: %s: %v\n", text, err)
			os.Exit(1)
		}
	}
	fmt.Printf("true: %s\n", text)
}

// until tries again until there is no error: what goes on in the background has no event to wait for.
func until(try step) step {
	return func() error {
		var err error
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(poll) {
			if err = try(); err == nil {
				return nil
			}
		}
		return err
	}
}

// restartServer asks the test to kill the server and to start it again.
func restartServer() error {
	fmt.Println("ready")
	_, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// observer is a client of the Redis server.
type observer struct {
	addr   string
	client rueidis.Client
}

func (o *observer) starts() (err error) {
	o.client, err = rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{o.addr}})
	return err
}

// counts waits until the server counts so many subscribers of a channel. A node ends its subscription one second after
// its last visitor left.
func (o *observer) counts(channel string, want int64) step {
	return until(func() error {
		ask := o.client.B().PubsubNumsub().Channel(channel).Build()
		answer, err := o.client.Do(context.Background(), ask).ToArray()
		if err != nil {
			return err
		}
		got, err := answer[1].AsInt64()
		if err == nil && got != want {
			err = fmt.Errorf("%d subscribers of %s, want %d", got, channel, want)
		}
		return err
	})
}
