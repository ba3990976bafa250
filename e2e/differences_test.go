package e2e

// A difference is one that is meant: HubSub answers otherwise than Redis 7.0, and no client minds. A scenario names
// it under the exchange it belongs to, with HubSub's own answer. One that differs no more fails the test, as does one
// that no scenario names.
type difference struct {
	name   string
	reason string
}

var differences = []difference{
	{"self-publish-order", "what a client publishes to itself comes after the answer, as in Redis 7.2 and later; " +
		"messages leave with the flush, so all answers of one write come before its messages"},
	{"rooms-apart", "there is no order across rooms: of what one write publishes, a client of several rooms gets room after room"},
	{"hello-all-or-nothing", "a HELLO that fails changes nothing, as in Redis 7.2 and later; 7.0 keeps what stood before the bad option"},
	{"closes-without-answers", "QUIT and a protocol error close the connection also when CLIENT REPLY OFF swallows their answer; " +
		"Redis 7.0 closes only after an answer was sent"},
	{"later-commands", "CLIENT SETINFO and NO-TOUCH are of Redis 7.2 and CLIENT KILL MAXAGE is of 7.4, whose version HubSub tells"},
	{"no-data-commands", "HubSub has no keys; an unknown command says so at once"},
	{"one-script", "HubSub runs no Lua; it knows one script by its text, and no digests"},
	{"no-blocking", "no command blocks and no writes to keys can be held back, so CLIENT PAUSE, UNPAUSE and UNBLOCK are unknown"},
	{"no-debugging", "DEBUG is there only for the subcommands that test suites send, which do nothing; so it needs no permission of its own"},
	{"several-at-once", "a client's first write holds several commands that differ, each on its own elsewhere: CLIENT SETINFO, " +
		"commands for data, CONFIG GET of a parameter that HubSub does not have"},
	{"own-parameters", "CONFIG GET tells the parameters that HubSub has"},
	{"no-command-times", "HubSub does not time its commands"},
	{"own-command-table", "COMMAND tells the commands that HubSub has"},
	{"rules-in-order", "a user's command rules are shown in the order they were given, as in Redis 7.2 and later; " +
		"7.0 makes up others that come to the same for the commands it has"},
	{"own-help", "HELP describes HubSub's subcommands in its own words"},
	{"own-option-values", "flags, file and CONFIG SET share one parser: blanks are free, an empty list is refused, and there is " +
		"no maxmemory to take a percentage of"},
	{"whole-exec", "a client that kills itself inside EXEC gets all elements that the answer's header promises"},
	{"fixed-options", "what HubSub listens on is fixed when it starts"},
}
