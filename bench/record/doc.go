// Package record is what a run of "hubsub bench" found, as data: what --json prints, and what the page is made from.
//
// A Run compares one server or more under one load. Its Measurements stand in the order in which they were made: in the
// first pair the servers forth, in the next back, and so on. A Measurement holds Figures, which are compared between
// servers; Conditions, which say how far they can be trusted; and, of an open loop, Curves of latency. Not every
// measurement has the same figures: some need the server's pid, some a TCP connection. So everything is found by its
// name, and a Ratio says how many pairs it was taken from.
//
// The JSON names of the types here are a promise to the programs that read them. A new name may come with any version;
// one that goes or changes its meaning raises Format.
//
// The package imports the standard library only.
package record
