package acl

const (
	// commandsMax is how many commands a Catalog takes, subcommands counted: a
	// set of them is four machine words in each selector.
	commandsMax = 256

	// hashDigits is the length of a password's SHA-256 in hexadecimal.
	hashDigits = 64
)
