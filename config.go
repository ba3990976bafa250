package main

import (
	"fmt"
	"io/fs"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"hubsub/engine"
)

// options is the one table of options: flags, environment, configuration file,
// CONFIG GET and SET and the README's list are all made from it. A field's tags:
// name, default and help are kong's; range bounds a number, oneof a choice; live
// says that CONFIG SET may change it.
type options struct {
	Port       number `name:"port" default:"6379" range:"0,65535" help:"TCP port; 0 for none."`
	Bind       words  `name:"bind" default:"127.0.0.1 -::1" help:"Addresses to listen on; one with a - before it may be missing."`
	UnixSocket text   `name:"unixsocket" help:"Path of a Unix socket to listen on besides."`
	UnixPerm   octal  `name:"unixsocketperm" default:"0" help:"Permissions of the Unix socket, octal; 0 leaves them to the umask."`
	Backlog    number `name:"tcp-backlog" default:"511" range:"0,2147483647" help:"Length of the kernel's queue of connections to accept."`
	IOUring    yesno  `name:"io-uring" default:"yes" help:"Send to many subscribers with one system call, where the kernel allows it."`
	Loops      number `name:"loops" default:"0" range:"0,64" help:"Event loops; 0 for one per core."`

	MaxClients    number  `name:"maxclients" default:"10000" range:"1,4294967295" live:"" help:"Clients at once."`
	Timeout       seconds `name:"timeout" default:"0" range:"0,2147483647" live:"" help:"Close clients without subscriptions that are silent for so many seconds; 0 for never."`
	KeepAlive     seconds `name:"tcp-keepalive" default:"300" range:"0,2147483647" live:"" help:"Probe silent clients after so many seconds; 0 for never."`
	RequirePass   text    `name:"requirepass" live:"" help:"Password of the default user."`
	PubSubDefault choice  `name:"acl-pubsub-default" default:"resetchannels" oneof:"resetchannels,allchannels" live:"" help:"Channels that new users begin with: none, or all."`
	ProtectedMode yesno   `name:"protected-mode" default:"yes" live:"" help:"Without a password, serve only clients on this machine."`

	CoalesceMax      period  `name:"coalesce-max" default:"1ms" live:"" help:"Send to a crowded channel at most once per this time; 0 for at once, always."`
	OutputLimit      outputs `name:"client-output-buffer-limit" default:"normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60" live:"" help:"Per class of clients: unsent bytes that close one, unsent bytes that do after so many seconds."`
	MaxMemoryClients memory  `name:"maxmemory-clients" default:"0" live:"" help:"Bytes that all clients may take together before those who take most are closed; 0 for no limit."`
	QueryBuffer      memory  `name:"client-query-buffer-limit" default:"1gb" range:"1048576,9223372036854775807" live:"" help:"Longest unfinished command of a client."`
	MaxBulk          memory  `name:"proto-max-bulk-len" default:"512mb" range:"1048576,9223372036854775807" live:"" help:"Longest argument of a command."`

	Cluster         text   `name:"cluster" help:"Address of the cluster port, host:port, which makes the server a node of a cluster; off unless given."`
	Join            list   `name:"join" help:"Cluster addresses of nodes to form a cluster with, the same list on all; none founds one alone."`
	Advertise       text   `name:"advertise" help:"host:port at which the other nodes reach the cluster port; by default it follows from --cluster."`
	AdvertiseClient text   `name:"advertise-client" help:"host:port at which clients reach this node; by default it follows from --bind and --port."`
	NodeID          text   `name:"node-id" help:"Name of the node, the same after a restart; by default its cluster address."`
	Zone            text   `name:"zone" help:"Where the node is: the hosts of a room are in different zones if possible."`
	Replicas        number `name:"replicas" default:"2" range:"1,7" help:"Hosts of a room for which nobody asks otherwise."`
	MaxRooms        number `name:"max-rooms" default:"0" range:"0,100000000" help:"Rooms in the cluster; 0 for no limit."`
	ClusterSecret   text   `name:"cluster-secret" help:"What all nodes must know to be let in; the traffic between them stays in clear."`
	DataDir         text   `name:"data-dir" help:"Directory in which a node remembers where rooms live; in memory only if empty."`
	Partition       choice `name:"partition" default:"available" oneof:"available,strict" help:"What a node does that is cut off from the others: goes on, or rather not."`

	MaxMessage memory `name:"cluster-max-message" default:"1mb" range:"1024,4194304" help:"Longest message with its channel that goes to other nodes; the same on all."`
	OnGap      choice `name:"on-gap" default:"tell" oneof:"tell,close" live:"" help:"What becomes of clients who may have missed messages of a room: they are told, if they ask, or closed."`

	LogLevel  choice `name:"loglevel" default:"notice" oneof:"debug,verbose,notice,warning" live:"" help:"debug, verbose, notice or warning."`
	LogFormat choice `name:"log-format" default:"text" oneof:"text,json" help:"text or json."`
	LogFile   text   `name:"logfile" help:"File to log to, opened anew at SIGHUP; standard error if empty."`
	HTTP      text   `name:"http" help:"Address of /metrics, /healthz, /debug/pprof and the API for rooms, for operators only: 127.0.0.1:8080."`
	HTTPToken text   `name:"http-token" help:"What calls of the API for rooms must bear; nothing if empty."`
}

// option is one line of the table, with the place of its value.
type option struct {
	name       string
	value      value
	low, high  int64
	bounded    bool
	oneOf      []string // nil: anything
	changeable bool     // by CONFIG SET
}

// table lists the options in the order of their declaration.
func (o *options) table() []option {
	fields := reflect.ValueOf(o).Elem()
	var list []option
	for i := range fields.NumField() {
		field := fields.Type().Field(i)
		opt := option{name: field.Tag.Get("name"), value: fields.Field(i).Addr().Interface().(value)}
		_, opt.changeable = field.Tag.Lookup("live")
		if low, high, ok := strings.Cut(field.Tag.Get("range"), ","); ok {
			opt.low, _ = strconv.ParseInt(low, 10, 64)
			opt.high, _ = strconv.ParseInt(high, 10, 64)
			opt.bounded = true
		}
		if words, ok := field.Tag.Lookup("oneof"); ok {
			opt.oneOf = strings.Split(words, ",")
		}
		list = append(list, opt)
	}
	return list
}

// set reads a value and checks its bounds; the errors are Redis's.
func (o option) set(s string) error {
	if err := o.value.UnmarshalText([]byte(s)); err != nil {
		return err
	}
	if n := o.number(); o.bounded && (n < o.low || n > o.high) {
		return fmt.Errorf("argument must be between %d and %d inclusive", o.low, o.high)
	}
	if o.oneOf != nil && !slices.Contains(o.oneOf, o.value.String()) {
		return fmt.Errorf("argument(s) must be one of the following: %s", strings.Join(o.oneOf, ", "))
	}
	return nil
}

func (o option) number() int64 {
	switch v := o.value.(type) {
	case *number:
		return int64(*v)
	case *seconds:
		return int64(*v)
	case *memory:
		return int64(*v)
	}
	return 0
}

// check holds every value against its bounds, as flags, environment and file
// have given them.
func (o *options) check() error {
	for _, opt := range o.table() {
		if n := opt.number(); opt.bounded && (n < opt.low || n > opt.high) {
			return fmt.Errorf("--%s must be between %d and %d, not %d", opt.name, opt.low, opt.high, n)
		}
		if opt.oneOf != nil && !slices.Contains(opt.oneOf, opt.value.String()) {
			return fmt.Errorf("--%s must be one of %s, not %s", opt.name, strings.Join(opt.oneOf, ", "), opt.value)
		}
	}
	return nil
}

// settings are the engine's part of the options.
func (o *options) settings() engine.Settings {
	return engine.Settings{
		MaxClients:       int(o.MaxClients),
		MaxBulkBytes:     int(o.MaxBulk),
		QueryBufferBytes: int(o.QueryBuffer),
		CoalesceMax:      time.Duration(o.CoalesceMax),
		Timeout:          time.Duration(o.Timeout) * time.Second,
		KeepAlive:        time.Duration(o.KeepAlive) * time.Second,
		ProtectedMode:    o.ProtectedMode.on && o.RequirePass == "",
		OutputNormal:     o.OutputLimit.limit("normal"),
		OutputPubSub:     o.OutputLimit.limit("pubsub"),
		MaxMemoryClients: int64(o.MaxMemoryClients),
		CloseOnGap:       o.OnGap == "close",
	}
}

func (o *options) listen() engine.Listen {
	return engine.Listen{
		Bind:       o.Bind,
		Port:       int(o.Port),
		Backlog:    int(o.Backlog),
		UnixSocket: string(o.UnixSocket),
		UnixMode:   fs.FileMode(o.UnixPerm),
	}
}

func (o *options) loops() int {
	if o.Loops == 0 {
		return min(runtime.NumCPU(), engine.LoopsMax)
	}
	return int(o.Loops)
}
