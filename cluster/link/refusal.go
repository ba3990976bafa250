package link

// refusal says why a connection was closed for what came over it. It is an
// error.
type refusal uint8

const (
	refuseHello    refusal = iota // no node begins so
	refuseMagic                   // no batch
	refuseVersion                 // of a batch
	refuseFlags                   // that this version does not know
	refuseLength                  // above the limit, or two that do not fit
	refuseChecksum                // what was sealed is not what came
	refuseCode                    // not what compression makes, or not of its length
	refuseRecords                 // not whole
	refuseOrder                   // of the numbers
	refuseAck                     // of what was never sent
	refusals
)

func (r refusal) Error() string {
	return [refusals]string{"malformed hello", "wrong magic", "wrong version", "unknown flags", "wrong length", "wrong checksum",
		"malformed code", "malformed records", "wrong number", "wrong acknowledgement"}[r]
}
