package command

import (
	"hubsub/engine"
	"hubsub/engine/acl"
)

// Sets of flags that many commands share.
const (
	anytime    = loading | stale
	handshake  = noScript | anytime | fast | noAuth | allowBusy
	subscribes = pubsub | noScript | anytime | inSubscribed
)

// Tips for clients of a Redis Cluster, as Redis gives them.
var (
	varies        = []string{"nondeterministic_output"}
	variesInOrder = []string{"nondeterministic_output_order"}
	onShards      = []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	countOnShards = []string{"request_policy:all_shards", "response_policy:agg_sum"}
	onNodes       = []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	infoTips      = []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}
)

// commands returns the table of all commands. Flags, categories, keys and tips
// are those of redis-server 7.0.15, and of 7.2 for what came later. ROOM is
// HubSub's own.
func commands() []*command {
	groups := [][]*command{
		pubsubCommands(), connectionCommands(), transactionCommands(),
		serverCommands(), clusterCommands(), roomCommands(), scriptingCommands(), streamCommands(), genericCommands(),
	}
	var all []*command
	for i, group := range []string{"pubsub", "connection", "transactions", "server", "cluster", "room", "scripting", "stream", "generic"} {
		for _, c := range groups[i] {
			c.group = group
			all = append(all, c)
		}
	}
	return all
}

func pubsubCommands() []*command {
	const perName = "O(N) with the number of names"
	return []*command{
		{name: "publish", arity: 3, flags: pubsub | anytime | fast, touches: acl.Publishes, run: publisher(engine.Channel),
			since: "2.0.0", cost: "O(M) with the number of patterns that could match; sending is O(N) with the number of subscribers",
			usage: "channel message", summary: "Sends a message to a channel and returns how many clients get it."},
		{name: "spublish", arity: 3, flags: pubsub | anytime | fast, keys: firstKey, touches: acl.Publishes, run: publisher(engine.Shard),
			since: "7.0.0", cost: "O(1); sending is O(N) with the number of subscribers",
			usage: "shardchannel message", summary: "Sends a message to a shard channel and returns how many clients get it."},
		{name: "subscribe", arity: -2, flags: subscribes, touches: acl.Subscribes, run: subscriber(engine.Channel),
			since: "2.0.0", cost: perName, usage: "channel [channel ...]", summary: "Subscribes to channels."},
		{name: "psubscribe", arity: -2, flags: subscribes, touches: acl.SubscribesPattern, run: subscriber(engine.Pattern),
			since: "2.0.0", cost: perName, usage: "pattern [pattern ...]", summary: "Subscribes to all channels that match a pattern."},
		{name: "ssubscribe", arity: -2, flags: subscribes, keys: everyKey, touches: acl.Subscribes, run: subscriber(engine.Shard),
			since: "7.0.0", cost: perName, usage: "shardchannel [shardchannel ...]", summary: "Subscribes to shard channels."},
		{name: "unsubscribe", arity: -1, flags: subscribes, run: unsubscriber(engine.Channel),
			since: "2.0.0", cost: perName, usage: "[channel ...]", summary: "Ends subscriptions to the channels, or to all."},
		{name: "punsubscribe", arity: -1, flags: subscribes, run: unsubscriber(engine.Pattern),
			since: "2.0.0", cost: perName, usage: "[pattern ...]", summary: "Ends subscriptions to the patterns, or to all."},
		{name: "sunsubscribe", arity: -1, flags: subscribes, keys: everyKey, run: unsubscriber(engine.Shard),
			since: "7.0.0", cost: perName, usage: "[shardchannel ...]", summary: "Ends subscriptions to the shard channels, or to all."},
		{name: "pubsub", arity: -2,
			since: "2.8.0", usage: "subcommand [argument ...]", summary: "Tells who listens to what.",
			subcommands: []*command{
				{name: "channels", arity: -2, flags: pubsub | anytime, run: pubsubChannels(engine.Channel),
					since: "2.8.0", cost: "O(N) with the number of channels", usage: "[pattern]", summary: "Lists the channels that have subscribers."},
				{name: "numsub", arity: -2, flags: pubsub | anytime, run: pubsubNumsub(engine.Channel),
					since: "2.8.0", cost: perName, usage: "[channel ...]", summary: "Counts the subscribers of channels, without those of patterns."},
				{name: "numpat", arity: 2, flags: pubsub | anytime, run: pubsubNumpat,
					since: "2.8.0", summary: "Counts the different patterns that have subscribers."},
				{name: "shardchannels", arity: -2, flags: pubsub | anytime, run: pubsubChannels(engine.Shard),
					since: "7.0.0", cost: "O(N) with the number of shard channels", usage: "[pattern]", summary: "Lists the shard channels that have subscribers."},
				{name: "shardnumsub", arity: -2, flags: pubsub | anytime, run: pubsubNumsub(engine.Shard),
					since: "7.0.0", cost: perName, usage: "[shardchannel ...]", summary: "Counts the subscribers of shard channels."},
				helpCommand("6.2.0", 0),
			}},
	}
}

func connectionCommands() []*command {
	return []*command{
		{name: "hello", arity: -1, flags: handshake, categories: inConnection, run: hello,
			since: "6.0.0", usage: "[protover [AUTH username password] [SETNAME clientname]]",
			summary: "Chooses the protocol and tells what the server is."},
		{name: "auth", arity: -2, flags: handshake, categories: inConnection, run: auth,
			since: "1.0.0", usage: "[username] password", summary: "Authenticates the connection."},
		{name: "ping", arity: -1, flags: fast | inSubscribed, categories: inConnection, tips: onShards, run: ping,
			since: "1.0.0", usage: "[message]", summary: "Returns PONG, or the message."},
		{name: "echo", arity: 2, flags: anytime | fast, categories: inConnection, run: echo,
			since: "1.0.0", usage: "message", summary: "Returns the message."},
		{name: "select", arity: 2, flags: anytime | fast, categories: inConnection, run: selectDB,
			since: "1.0.0", usage: "index", summary: "Accepts the number of a database; channels belong to none."},
		{name: "quit", arity: -1, flags: handshake | immediate | inSubscribed, categories: inConnection, run: quit,
			since: "1.0.0", summary: "Closes the connection."},
		{name: "reset", arity: 1, flags: handshake | immediate | inSubscribed, categories: inConnection, run: reset,
			since: "6.2.0", cost: "O(N) with the number of subscriptions", summary: "Makes the connection as new."},
		{name: "client", arity: -2, since: "2.4.0", usage: "subcommand [argument ...]",
			summary: "Shows and changes connections.", subcommands: clientCommands()},
	}
}

func clientCommands() []*command {
	const (
		self   = noScript | anytime
		others = admin | noScript | anytime
		all    = "O(N) with the number of clients"
	)
	subcommands := []*command{
		{name: "id", arity: 2, flags: self, run: clientID,
			since: "5.0.0", summary: "Returns the connection's number."},
		{name: "info", arity: 2, flags: self, tips: varies, run: clientInfo,
			since: "6.2.0", summary: "Describes the connection in one line."},
		{name: "list", arity: -2, flags: others, tips: varies, run: clientList,
			since: "2.4.0", cost: all, usage: "[TYPE NORMAL|MASTER|REPLICA|PUBSUB] [ID client-id [client-id ...]]",
			summary: "Describes the connections, one a line."},
		{name: "kill", arity: -3, flags: others, run: clientKill,
			since: "2.4.0", cost: all,
			usage: "ip:port | [ID client-id] [TYPE NORMAL|MASTER|REPLICA|PUBSUB] [USER username] " +
				"[ADDR ip:port] [LADDR ip:port] [SKIPME YES|NO] [MAXAGE seconds]",
			summary: "Closes the connections to which all that is given applies."},
		{name: "getname", arity: 2, flags: self, run: clientGetName,
			since: "2.6.9", summary: "Returns the connection's name."},
		{name: "setname", arity: 3, flags: self, run: clientSetName,
			since: "2.6.9", usage: "name", summary: "Names the connection."},
		{name: "setinfo", arity: 4, flags: self, run: clientSetInfo,
			since: "7.2.0", usage: "LIB-NAME name | LIB-VER version", summary: "Tells the client library and its version."},
		{name: "reply", arity: 3, flags: self, run: clientReply,
			since: "3.2.0", usage: "ON|OFF|SKIP", summary: "Turns answers on or off, or skips the next one."},
		{name: "no-evict", arity: 3, flags: others, run: clientNoEvict,
			since: "7.0.0", usage: "ON|OFF", summary: "Exempts the connection from maxmemory-clients."},
		{name: "no-touch", arity: 3, flags: self, run: clientNoTouch,
			since: "7.2.0", usage: "ON|OFF", summary: "Accepted; there are no keys to touch."},
		{name: "tracking", arity: -3, flags: self, run: clientTracking,
			since: "6.0.0", usage: "ON|OFF [REDIRECT client-id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
			summary: "Accepted; there are no keys to track."},
		{name: "trackinginfo", arity: 2, flags: self, run: clientTrackingInfo,
			since: "6.2.0", summary: "Tells what CLIENT TRACKING was told."},
		{name: "getredir", arity: 2, flags: self, run: clientGetRedir,
			since: "6.0.0", summary: "Returns the client that CLIENT TRACKING redirects to."},
		{name: "caching", arity: 3, flags: self, run: clientCaching,
			since: "6.0.0", usage: "YES|NO", summary: "Accepted as CLIENT TRACKING allows; there are no keys to cache."},
		helpCommand("5.0.0", 0),
	}
	for _, c := range subcommands {
		c.categories = inConnection
	}
	return subcommands
}

func transactionCommands() []*command {
	const onQueue = "O(N) with the number of queued commands"
	return []*command{
		{name: "multi", arity: 1, flags: noScript | anytime | fast | allowBusy | immediate, categories: inTransaction, run: multi,
			since: "1.2.0", summary: "Begins to queue commands."},
		{name: "exec", arity: 1, flags: noScript | anytime | skipSlowlog | immediate, categories: inTransaction, run: exec,
			since: "1.2.0", cost: "that of the queued commands", summary: "Executes what was queued since MULTI, with nothing in between."},
		{name: "discard", arity: 1, flags: noScript | anytime | fast | allowBusy | immediate, categories: inTransaction, run: discard,
			since: "2.0.0", cost: onQueue, summary: "Forgets what was queued since MULTI."},
	}
}

func serverCommands() []*command {
	const change = admin | noScript | anytime
	return []*command{
		{name: "info", arity: -1, flags: anytime, categories: inDangerous, tips: infoTips, run: info,
			since: "1.0.0", cost: "O(N) with the number of clients and channels", usage: "[section ...]", summary: "Describes the server and counts what it does."},
		{name: "config", arity: -2, since: "2.0.0", usage: "subcommand [argument ...]",
			summary: "Shows and changes parameters.", subcommands: []*command{
				{name: "get", arity: -3, flags: change, run: configGet,
					since: "2.0.0", cost: "O(N) with the number of parameters", usage: "parameter [parameter ...]", summary: "Returns parameters by name or pattern."},
				{name: "set", arity: -4, flags: change, tips: onNodes, run: configSet,
					since: "2.0.0", cost: "O(N) with the number of parameters given", usage: "parameter value [parameter value ...]", summary: "Sets parameters: all of them or none."},
				{name: "resetstat", arity: 2, flags: change, run: configResetStat,
					since: "2.0.0", summary: "Sets the counts of INFO back to zero."},
				{name: "rewrite", arity: 2, flags: change, run: configRewrite,
					since: "2.8.0", summary: "Refused; the configuration file is only read."},
				helpCommand("5.0.0", 0),
			}},
		{name: "command", arity: -1, flags: anytime, categories: inConnection, tips: variesInOrder, run: commandAll,
			since: "2.8.13", cost: "O(N) with the number of commands", usage: "[subcommand [argument ...]]", summary: "Describes all commands.",
			subcommands: commandCommands()},
		{name: "acl", arity: -2, since: "6.0.0", usage: "subcommand [argument ...]",
			summary: "Shows and changes users and what they may do.", subcommands: aclCommands()},
		{name: "role", arity: 1, flags: noScript | anytime | fast, categories: inAdmin | inDangerous, run: role,
			since: "2.8.12", summary: "Returns master and an empty list of replicas."},
		{name: "time", arity: 1, flags: anytime | fast, tips: varies, run: timeNow,
			since: "2.6.0", summary: "Returns the server's clock in seconds and microseconds."},
		{name: "shutdown", arity: -1, flags: admin | noScript | anytime | noMulti | allowBusy, run: shutdown,
			since: "1.0.0", usage: "[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]", summary: "Ends the server."},
		{name: "flushall", arity: -1, flags: write, categories: inKeyspace | inDangerous, tips: onShards, run: flush,
			since: "1.0.0", usage: "[ASYNC|SYNC]", summary: "Accepted; there are no keys."},
		{name: "flushdb", arity: -1, flags: write, categories: inKeyspace | inDangerous, tips: onShards, run: flush,
			since: "1.0.0", usage: "[ASYNC|SYNC]", summary: "Accepted; there are no keys."},
		{name: "dbsize", arity: 1, flags: fast, categories: inKeyspace | inRead, tips: countOnShards, run: dbSize,
			since: "1.0.0", summary: "Returns 0; there are no keys."},
		{name: "slowlog", arity: -2, since: "2.2.12", usage: "subcommand [argument ...]",
			summary: "Tells of no slow commands; they are not logged.", subcommands: slowlogCommands()},
		{name: "latency", arity: -2, since: "2.8.13", usage: "subcommand [argument ...]",
			summary: "Tells of no latencies; commands are not timed.", subcommands: latencyCommands()},
		{name: "module", arity: -2, since: "4.0.0", usage: "subcommand [argument ...]",
			summary: "Tells of no modules; none can be loaded.", subcommands: []*command{
				{name: "list", arity: 2, flags: admin | noScript, tips: variesInOrder, run: tellNone,
					since: "4.0.0", summary: "Returns an empty list."},
				helpCommand("5.0.0", 0),
			}},
		{name: "debug", arity: -2, flags: admin | noScript | anytime, run: debug,
			since: "1.0.0", usage: "subcommand [argument ...]", summary: "Accepts what test suites send, and does nothing."},
	}
}

func aclCommands() []*command {
	const (
		tell     = noScript | anytime
		manage   = admin | noScript | anytime
		perUser  = "O(N) with the number of users"
		perRules = "O(N) with the number of the user's rules"
	)
	return []*command{
		{name: "cat", arity: -2, flags: tell, run: aclCat,
			since: "6.0.0", usage: "[category]", summary: "Lists the categories, or the commands of one."},
		{name: "deluser", arity: -3, flags: manage, run: aclDelUser,
			since: "6.0.0", usage: "username [username ...]", summary: "Deletes users and closes their connections."},
		{name: "dryrun", arity: -4, flags: manage, run: aclDryRun,
			since: "7.0.0", usage: "username command [argument ...]", summary: "Tells whether a user may run a command, and does not run it."},
		{name: "genpass", arity: -2, flags: tell, run: aclGenPass,
			since: "6.0.0", usage: "[bits]", summary: "Makes a password of 256 random bits, or as many as are asked for."},
		{name: "getuser", arity: 3, flags: manage, run: aclGetUser,
			since: "6.0.0", cost: perRules, usage: "username", summary: "Shows a user's rules."},
		{name: "list", arity: 2, flags: manage, run: aclList,
			since: "6.0.0", cost: perUser, summary: "Shows all users as lines of a configuration file."},
		{name: "load", arity: 2, flags: manage, run: answer(faultNoACLFile),
			since: "6.0.0", summary: "Refused; there is no ACL file."},
		{name: "log", arity: -2, flags: manage, run: aclLogs,
			since: "6.0.0", cost: "O(N) with the number of entries", usage: "[count | RESET]", summary: "Shows who was refused what lately, or forgets it."},
		{name: "save", arity: 2, flags: manage, run: answer(faultNoACLFile),
			since: "6.0.0", summary: "Refused; there is no ACL file."},
		{name: "setuser", arity: -3, flags: manage, run: aclSetUser,
			since: "6.0.0", cost: perRules, usage: "username [rule ...]", summary: "Makes or changes a user: by all rules, or none."},
		{name: "users", arity: 2, flags: manage, run: aclUsers,
			since: "6.0.0", cost: perUser, summary: "Lists the users."},
		{name: "whoami", arity: 2, flags: tell, run: aclWhoAmI,
			since: "6.0.0", summary: "Returns the connection's user."},
		helpCommand("6.0.0", 0),
	}
}

func slowlogCommands() []*command {
	const manage = admin | anytime
	return []*command{
		{name: "get", arity: -2, flags: manage, tips: []string{"request_policy:all_nodes", "nondeterministic_output"}, run: slowlogGet,
			since: "2.2.12", usage: "[count]", summary: "Returns an empty list."},
		{name: "len", arity: 2, flags: manage, tips: []string{"request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"}, run: tellZero,
			since: "2.2.12", summary: "Returns 0."},
		{name: "reset", arity: 2, flags: manage, tips: onNodes, run: slowlogReset,
			since: "2.2.12", summary: "Accepted; there is nothing to forget."},
		helpCommand("6.2.0", 0),
	}
}

func latencyCommands() []*command {
	const manage = admin | noScript | anytime
	perNode := []string{"nondeterministic_output", "request_policy:all_nodes", "response_policy:special"}
	return []*command{
		{name: "histogram", arity: -2, flags: manage, tips: perNode, run: tellNoTimes,
			since: "7.0.0", usage: "[command [command ...]]", summary: "Returns an empty map."},
		{name: "history", arity: 3, flags: manage, tips: perNode, run: tellNone,
			since: "2.8.13", usage: "event", summary: "Returns an empty list."},
		{name: "latest", arity: 2, flags: manage, tips: perNode, run: tellNone,
			since: "2.8.13", summary: "Returns an empty list."},
		{name: "reset", arity: -2, flags: manage, tips: onNodes, run: tellZero,
			since: "2.8.13", usage: "[event [event ...]]", summary: "Returns 0; there is nothing to forget."},
		helpCommand("2.8.13", 0),
	}
}

func genericCommands() []*command {
	return []*command{
		{name: "scan", arity: -2, categories: inKeyspace | inRead, tips: []string{"nondeterministic_output", "request_policy:special"}, run: scan,
			since: "2.8.0", usage: "cursor [MATCH pattern] [COUNT count] [TYPE type]", summary: "Returns an empty list; there are no keys."},
	}
}

func roomCommands() []*command {
	const (
		asks = pubsub | noScript | anytime | noMulti
		one  = "O(1), and a question to another node if this one does not know"
	)
	return []*command{
		{name: "room", arity: -2, since: Version, usage: "subcommand [argument ...]",
			summary: "Tells which servers of the cluster a room has, and makes rooms.",
			subcommands: []*command{
				{name: "get", arity: -3, flags: asks, touches: acl.AsksRoom, tips: varies, run: roomGet,
					since: Version, cost: one, usage: "room [REPLICAS count]",
					summary: "Returns a room's name, epoch and servers, the leader first. It is made if need be."},
				{name: "info", arity: 3, flags: asks, touches: acl.AsksRoom, tips: varies, run: roomInfo,
					since: Version, cost: "O(N) with the number of nodes", usage: "room",
					summary: "Describes a room, and how each node sees it; null if it does not exist."},
				{name: "list", arity: -2, flags: asks, tips: varies, run: roomList,
					since: Version, cost: "O(N) with COUNT", usage: "[cursor] [MATCH pattern] [COUNT count]",
					summary: "Lists rooms as SCAN lists keys."},
				{name: "nodes", arity: 2, flags: asks, tips: varies, run: roomNodes,
					since: Version, cost: "O(N) with the number of nodes", summary: "Describes the nodes of the cluster."},
				{name: "close", arity: 3, flags: asks, categories: inDangerous, touches: acl.AsksRoom, run: roomClose,
					since: Version, cost: one, usage: "room",
					summary: "Takes a room's servers from it, whoever uses it, and returns 1; 0 if it does not exist."},
				helpCommand(Version, inPubsub),
			}},
	}
}

func commandCommands() []*command {
	const perCommand = "O(N) with the number of commands"
	subcommands := []*command{
		{name: "count", arity: 2, run: commandCount,
			since: "2.8.13", summary: "Counts the commands."},
		{name: "info", arity: -2, tips: variesInOrder, run: commandInfo,
			since: "2.8.13", cost: perCommand, usage: "[command-name ...]", summary: "Describes commands for clients."},
		{name: "docs", arity: -2, tips: variesInOrder, run: commandDocs,
			since: "7.0.0", cost: perCommand, usage: "[command-name ...]", summary: "Describes commands for people."},
		{name: "list", arity: -2, tips: variesInOrder, run: commandList,
			since: "7.0.0", cost: perCommand, usage: "[FILTERBY MODULE module-name|ACLCAT category|PATTERN pattern]", summary: "Lists names of commands."},
		{name: "getkeys", arity: -4, run: commandGetKeys,
			since: "2.8.13", usage: "command [argument ...]", summary: "Refused; no command has keys."},
		{name: "getkeysandflags", arity: -4, run: commandGetKeys,
			since: "7.0.0", usage: "command [argument ...]", summary: "Refused; no command has keys."},
		helpCommand("5.0.0", 0),
	}
	for _, c := range subcommands {
		c.flags, c.categories = anytime, inConnection
	}
	return subcommands
}

func scriptingCommands() []*command {
	return []*command{
		{name: "eval", arity: -3, flags: noScript | stale, categories: inScripting, run: eval,
			since: "2.6.0", cost: "O(N) with the number of channels", usage: "script numkeys [key ...] [arg ...]",
			summary: "Executes one known script, which publishes a message to several channels; refuses others."},
		{name: "evalsha", arity: -3, flags: noScript | stale, categories: inScripting, run: evalsha,
			since: "2.6.0", usage: "sha1 numkeys [key ...] [arg ...]", summary: "Refused; no scripts are kept."},
		{name: "function", arity: -2, since: "7.0.0", usage: "subcommand [argument ...]",
			summary: "Accepts what test suites send, and does nothing.", subcommands: []*command{
				{name: "flush", arity: -2, flags: write | noScript, categories: inScripting, tips: onShards, run: functionFlush,
					since: "7.0.0", usage: "[ASYNC|SYNC]", summary: "Accepted; there are no functions."},
				helpCommand("7.0.0", inScripting),
			}},
	}
}

func streamCommands() []*command {
	return []*command{
		{name: "xrange", arity: -4, categories: inRead | inStream, run: xrange, since: "5.0.0",
			usage: "key start end [COUNT count]", summary: "Returns an empty list; there are no streams."},
		{name: "xrevrange", arity: -4, categories: inRead | inStream, run: xrange, since: "5.0.0",
			usage: "key end start [COUNT count]", summary: "Returns an empty list; there are no streams."},
	}
}

// helpCommand is the subcommand HELP that every container has.
func helpCommand(since string, categories category) *command {
	return &command{name: "help", arity: 2, flags: anytime, categories: categories, run: containerHelp,
		since: since, cost: "O(N) with the number of subcommands", summary: "Prints this."}
}
