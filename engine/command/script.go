package command

import (
	"bytes"
	"strings"

	"hubsub/engine"
	"hubsub/resp"
)

// publishScript is the one script there is. Laravel's RedisBroadcaster, and
// what was modelled on it, publish an event with it: ARGV is the message and
// then the channels. phpredis and Predis send the text each time, never its
// digest.
const publishScript = `
for i = 2, #ARGV do
  redis.call('publish', ARGV[i], ARGV[1])
end`

var publishScriptWords = strings.Fields(publishScript)

// isPublishScript compares but for white space, of which there is none inside
// the script's words: indented or in one line, it means the same.
func isPublishScript(script []byte) bool {
	n := 0
	for word := range bytes.FieldsSeq(script) {
		if n == len(publishScriptWords) || string(word) != publishScriptWords[n] {
			return false
		}
		n++
	}
	return n == len(publishScriptWords)
}

// eval is EVAL script numkeys [key …] [arg …].
func eval(c call) {
	argv, fault := scriptArgs(c)
	if fault == "" && !isPublishScript(c.args()[0]) {
		fault = faultNoScripts
	}
	if fault == "" {
		fault = publishEach(c, argv)
	}
	if fault != "" {
		c.fail(fault)
	}
}

// evalsha is EVALSHA sha1 numkeys [key …] [arg …]. No scripts are kept, so
// clients that try it first send the text next.
func evalsha(c call) {
	_, fault := scriptArgs(c)
	if fault == "" || len(c.args()[0]) != sha1Digits {
		fault = faultNoScript
	}
	c.fail(fault)
}

// scriptArgs returns a script's ARGV, or the error to answer.
func scriptArgs(c call) (argv [][]byte, fault string) {
	rest := c.args()[2:]
	keys, ok := resp.ParseInt(c.args()[1])
	switch {
	case !ok:
		return nil, faultNotInteger
	case keys > int64(len(rest)):
		return nil, "ERR Number of keys can't be greater than number of args"
	case keys < 0:
		return nil, "ERR Number of keys can't be negative"
	}
	return rest[keys:], ""
}

// publishEach publishes ARGV[1] to ARGV[2] and the others, as PUBLISH would,
// one after the other, and answers when all are answered, unless it returns an
// error. They wait for the end of the tick together, so they may
// be no more bytes than a client can send at once: a short command could name
// one channel a million times.
func publishEach(c call, argv [][]byte) (fault string) {
	if len(argv) < 2 {
		c.reply().Null()
		return ""
	}
	size := 0
	for _, channel := range argv[1:] {
		size += len(argv[0]) + len(channel)
	}
	if size > c.s.Engine().Settings().QueryBufferBytes {
		return "ERR the script publishes more than client-query-buffer-limit"
	}
	message := resp.Command{Args: [][]byte{nil, nil, argv[0]}}
	batch := c.batch()
	first := len(batch.Results())
	for _, channel := range argv[1:] {
		message.Args[1] = channel
		if fault := c.scriptFault(c.args()[0], &message); fault != "" {
			return fault
		}
		batch.Publish(engine.Channel, &message)
	}
	last := len(batch.Results())
	if c.inside != nil {
		c.inside.hole(c, first, last, true)
		return ""
	}
	batch.Wait(func() { writeScript(c.reply(), c.h, batch.Results()[first:last]) }, nil)
	return ""
}

// writeScript writes a script's answer: an error if one of its publishes was
// refused, which ends a script.
func writeScript(w *resp.Writer, h *Handler, results []engine.Result) {
	for _, r := range results {
		if r.Code != engine.Done {
			w.Error(h.Fault(r.Code))
			return
		}
	}
	w.Null()
}

// xrange is XRANGE or XREVRANGE: no stream has entries. Centrifugo asks for
// one when it starts and needs an answer that is no error.
func xrange(c call) { c.reply().Array(0) }
