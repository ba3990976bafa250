package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/centrifugal/centrifuge"
	"github.com/prometheus/client_golang/prometheus"
)

// chat is the channel of all visitors.
const chat = "chat"

// node is a node of Centrifugo and the HTTP server that its visitors connect to.
type node struct {
	redisAddr string
	node      *centrifuge.Node
	url       string
}

// starts starts the node. Its broker sends XRANGE when it starts, to see whether the server has streams, and wants an
// answer that is no error.
func (n *node) starts() error {
	engine, err := centrifuge.New(centrifuge.Config{
		LogLevel:   centrifuge.LogLevelError,
		LogHandler: func(e centrifuge.LogEntry) { fmt.Println("log:", e.Message, e.Fields) },
		Metrics:    centrifuge.MetricsConfig{RegistererGatherer: prometheus.NewRegistry()},
	})
	if err != nil {
		return err
	}
	shard, err := centrifuge.NewRedisShard(engine, centrifuge.RedisShardConfig{Address: n.redisAddr})
	if err != nil {
		return err
	}
	broker, err := centrifuge.NewRedisBroker(engine, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
	if err != nil {
		return err
	}
	engine.SetBroker(broker)
	engine.OnSurvey(func(_ centrifuge.SurveyEvent, answer centrifuge.SurveyCallback) {
		answer(centrifuge.SurveyReply{Data: []byte(engine.ID())})
	})
	engine.OnConnecting(func(_ context.Context, e centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: e.Name}}, nil
	})
	engine.OnConnect(welcome)
	if err := engine.Run(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(listener, centrifuge.NewWebsocketHandler(engine, centrifuge.WebsocketConfig{}))
	n.node, n.url = engine, "ws://"+listener.Addr().String()
	return nil
}

// welcome lets a visitor subscribe and publish, and see who comes and goes.
func welcome(client *centrifuge.Client) {
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
		options := centrifuge.SubscribeOptions{EmitJoinLeave: true, PushJoinLeave: true}
		answer(centrifuge.SubscribeReply{Options: options}, nil)
	})
	client.OnPublish(func(_ centrifuge.PublishEvent, answer centrifuge.PublishCallback) {
		answer(centrifuge.PublishReply{}, nil)
	})
}

func (n *node) publishes(text string) step {
	return func() error {
		_, err := n.node.Publish(chat, quote(text))
		return err
	}
}

func (n *node) unsubscribes(user string) step {
	return func() error { return n.node.Unsubscribe(user, chat) }
}

func (n *node) disconnects(user string) step {
	return func() error { return n.node.Disconnect(user) }
}

func (n *node) shutsDown() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return n.node.Shutdown(ctx)
}

// knows waits until the node knows of so many nodes, itself among them.
func (n *node) knows(want int) step {
	return until(func() error {
		info, err := n.node.Info()
		if err == nil && len(info.Nodes) != want {
			err = fmt.Errorf("%d nodes, want %d", len(info.Nodes), want)
		}
		return err
	})
}

// surveys asks all nodes for their ids, and wants so many.
func (n *node) surveys(want int) step {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		answers, err := n.node.Survey(ctx, "id", nil, "")
		if err != nil {
			return err
		}
		if len(answers) != want {
			return fmt.Errorf("%d answers, want %d", len(answers), want)
		}
		for id, answer := range answers {
			if string(answer.Data) != id {
				return fmt.Errorf("node %s answers %q", id, answer.Data)
			}
		}
		return nil
	}
}
