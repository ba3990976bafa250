package command

// Without a Redis Cluster all of this is refused, in words that clients look
// for to learn that there is none.
var refuseCluster = answer(faultNoCluster)

func clusterCommands() []*command {
	const perNode = anytime | fast
	return []*command{
		{name: "readonly", arity: 1, flags: perNode, categories: inConnection, run: refuseCluster,
			since: "3.0.0", summary: refused},
		{name: "readwrite", arity: 1, flags: perNode, categories: inConnection, run: refuseCluster,
			since: "3.0.0", summary: refused},
		{name: "asking", arity: 1, flags: fast, categories: inConnection, run: refuseCluster,
			since: "3.0.0", summary: refused},
		{name: "cluster", arity: -2, since: "3.0.0", usage: "subcommand [argument ...]",
			summary: refused, subcommands: clusterSubcommands()},
	}
}

const refused = "Refused; this is no Redis Cluster."

func clusterSubcommands() []*command {
	const (
		read   = stale
		manage = admin | stale
		alter  = manage | noAsyncLoading
	)
	subcommands := []*command{
		{name: "addslots", arity: -3, flags: alter, since: "3.0.0"},
		{name: "addslotsrange", arity: -4, flags: alter, since: "7.0.0"},
		{name: "bumpepoch", arity: 2, flags: alter, tips: varies, since: "3.0.0"},
		{name: "count-failure-reports", arity: 3, flags: manage, tips: varies, since: "3.0.0"},
		{name: "countkeysinslot", arity: 3, flags: read, since: "3.0.0"},
		{name: "delslots", arity: -3, flags: alter, since: "3.0.0"},
		{name: "delslotsrange", arity: -4, flags: alter, since: "7.0.0"},
		{name: "failover", arity: -2, flags: alter, since: "3.0.0"},
		{name: "flushslots", arity: 2, flags: alter, since: "3.0.0"},
		{name: "forget", arity: 3, flags: alter, since: "3.0.0"},
		{name: "getkeysinslot", arity: 4, flags: read, tips: varies, since: "3.0.0"},
		{name: "help", arity: 2, flags: anytime, since: "5.0.0"},
		{name: "info", arity: 2, flags: read, tips: varies, since: "3.0.0"},
		{name: "keyslot", arity: 3, flags: read, since: "3.0.0"},
		{name: "links", arity: 2, flags: read, tips: varies, since: "7.0.0"},
		{name: "meet", arity: -4, flags: alter, since: "3.0.0"},
		{name: "myid", arity: 2, flags: read, since: "3.0.0"},
		{name: "nodes", arity: 2, flags: read, tips: varies, since: "3.0.0"},
		{name: "replicas", arity: 3, flags: manage, tips: varies, since: "5.0.0"},
		{name: "replicate", arity: 3, flags: alter, since: "3.0.0"},
		{name: "reset", arity: -2, flags: manage | noScript, since: "3.0.0"},
		{name: "saveconfig", arity: 2, flags: alter, since: "3.0.0"},
		{name: "set-config-epoch", arity: 3, flags: alter, since: "3.0.0"},
		{name: "setslot", arity: -4, flags: alter, since: "3.0.0"},
		{name: "shards", arity: 2, flags: read, tips: varies, since: "7.0.0"},
		{name: "slaves", arity: 3, flags: manage, tips: varies, since: "3.0.0"},
		{name: "slots", arity: 2, flags: read, tips: varies, since: "3.0.0"},
	}
	for _, c := range subcommands {
		c.run, c.summary = refuseCluster, refused
	}
	return subcommands
}
