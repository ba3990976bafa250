package command

import "hubsub/resp"

// tracking is what CLIENT TRACKING ON asked for. Some clients do not connect
// without it. There are no keys here, so nothing is ever invalidated; the
// options are remembered and checked as Redis does, and have no effect.
type tracking struct {
	broadcast, optIn, optOut, noLoop bool
	redirect                         uint64 // a client's ID, 0 for none
	prefixes                         []string
}

func clientTracking(c call) {
	t, on, fault := parseTracking(c)
	if fault != "" {
		c.fail(fault)
		return
	}
	m := c.memory()
	if !on {
		t = nil
	} else if fault := t.follow(m.tracking); fault != "" {
		c.fail(fault)
		return
	}
	m.tracking = t
	m.showFlags(c.s)
	c.ok()
}

// parseTracking reads ON|OFF [REDIRECT id] [PREFIX prefix …] [BCAST] [OPTIN]
// [OPTOUT] [NOLOOP].
func parseTracking(c call) (t *tracking, on bool, fault string) {
	t = &tracking{}
	args := c.args()
	for i := 1; i < len(args); i++ {
		more := i+1 < len(args)
		switch {
		case is(args[i], "REDIRECT") && more:
			i++
			if t.redirect != 0 {
				return t, false, "ERR A client can only redirect to a single other client"
			}
			id, ok := resp.ParseInt(args[i])
			if !ok {
				return t, false, faultNotInteger
			}
			if id <= 0 || findSession(c.s.Engine(), uint64(id)) == nil {
				return t, false, "ERR The client ID you want redirect to does not exist"
			}
			t.redirect = uint64(id)
		case is(args[i], "PREFIX") && more:
			i++
			t.prefixes = append(t.prefixes, string(args[i]))
		case is(args[i], "BCAST"):
			t.broadcast = true
		case is(args[i], "OPTIN"):
			t.optIn = true
		case is(args[i], "OPTOUT"):
			t.optOut = true
		case is(args[i], "NOLOOP"):
			t.noLoop = true
		default:
			return t, false, faultSyntax
		}
	}
	switch {
	case is(args[0], "ON"):
		return t, true, ""
	case is(args[0], "OFF"):
		return t, false, ""
	}
	return t, false, faultSyntax
}

// follow says why t cannot be switched on, at all or while old, which may be
// nil, is.
func (t *tracking) follow(old *tracking) (fault string) {
	switch {
	case len(t.prefixes) > 0 && !t.broadcast:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case old != nil && old.broadcast != t.broadcast:
		return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, " +
			"and then re-enabling it with a different mode."
	case t.broadcast && (t.optIn || t.optOut):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case t.optIn && t.optOut:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case old != nil && (t.optIn && old.optOut || t.optOut && old.optIn):
		return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, " +
			"and then re-enabling it with a different mode."
	}
	return ""
}

func clientTrackingInfo(c call) {
	flags, redirect, prefixes := []string{"off"}, int64(-1), []string(nil)
	if m := recall(c.s); m != nil && m.tracking != nil {
		t := m.tracking
		flags, redirect, prefixes = t.flags(), int64(t.redirect), t.prefixes
	}
	w := c.reply()
	w.Map(3)
	w.BulkString("flags")
	w.Set(len(flags))
	for _, flag := range flags {
		w.BulkString(flag)
	}
	w.BulkString("redirect")
	w.Int(redirect)
	w.BulkString("prefixes")
	w.Array(len(prefixes))
	for _, prefix := range prefixes {
		w.BulkString(prefix)
	}
}

func (t *tracking) flags() []string {
	flags := []string{"on"}
	for _, f := range []struct {
		set  bool
		name string
	}{
		{t.broadcast, "bcast"},
		{t.optIn, "optin"},
		{t.optOut, "optout"},
		{t.noLoop, "noloop"},
	} {
		if f.set {
			flags = append(flags, f.name)
		}
	}
	return flags
}

func clientGetRedir(c call) {
	redirect := int64(-1)
	if m := recall(c.s); m != nil && m.tracking != nil {
		redirect = int64(m.tracking.redirect)
	}
	c.reply().Int(redirect)
}

// clientCaching is for the next command only, which no command here heeds.
func clientCaching(c call) {
	var t tracking
	if m := recall(c.s); m != nil && m.tracking != nil {
		t = *m.tracking
	} else {
		c.fail("ERR CLIENT CACHING can be called only when the client is in tracking mode " +
			"with OPTIN or OPTOUT mode enabled")
		return
	}
	switch mode := c.args()[0]; {
	case is(mode, "YES") && !t.optIn:
		c.fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case is(mode, "NO") && !t.optOut:
		c.fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	case is(mode, "YES"), is(mode, "NO"):
		c.ok()
	default:
		c.fail(faultSyntax)
	}
}
