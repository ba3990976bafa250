package command

import (
	"slices"
	"strings"
	"testing"
)

// hasFields wants a line of CLIENT LIST to have these fields.
func hasFields(t *testing.T, line string, fields ...string) {
	t.Helper()
	have := strings.Fields(line)
	for _, field := range fields {
		if !slices.Contains(have, field) {
			t.Errorf("no %q in %q", field, line)
		}
	}
}

func TestClientNames(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	const bad = "-ERR Client names cannot contain spaces, newlines or special characters."
	f("CLIENT GETNAME", "$-1")
	f("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command")
	f("CLIENT SETNAME me", "+OK")
	f("CLIENT GETNAME", "$2⏎me")
	c.saysWords([]string{"CLIENT", "SETNAME", "a b"}, bad)
	c.saysWords([]string{"CLIENT", "SETNAME", "a\nb"}, bad)
	c.saysWords([]string{"CLIENT", "SETNAME", "\x7f"}, bad)
	f("CLIENT GETNAME", "$2⏎me")
	c.saysWords([]string{"CLIENT", "SETNAME", ""}, "+OK")
	f("CLIENT GETNAME", "$-1")
}

func TestClientSetInfo(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	f("CLIENT SETINFO LIB-NAME go-redis(,go1.26)", "+OK")
	f("client setinfo lib-ver 9.0", "+OK")
	hasFields(t, c.text("CLIENT INFO"), "lib-name=go-redis(,go1.26)", "lib-ver=9.0")
	f("CLIENT SETINFO foo x", "-ERR Unrecognized option 'foo'")
	c.saysWords([]string{"CLIENT", "SETINFO", "lib-ver", "a b"}, "-ERR lib-ver cannot contain spaces, newlines or special characters.")
	c.saysWords([]string{"CLIENT", "SETINFO", "LIB-NAME", ""}, "+OK")
	hasFields(t, c.text("CLIENT INFO"), "lib-name=", "lib-ver=9.0")
}

func TestClientReply(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	f("CLIENT REPLY ON", "+OK")
	f("CLIENT REPLY maybe", "-ERR syntax error")
	c.send("CLIENT", "REPLY", "SKIP")
	c.send("ECHO", "skipped")
	f("ECHO seen", "$4⏎seen")
	c.send("CLIENT", "REPLY", "SKIP")
	c.send("CLIENT", "REPLY", "SKIP")
	c.send("FOO") // an error is skipped too
	f("ECHO seen", "$4⏎seen")
	c.send("CLIENT", "REPLY", "SKIP")
	f("CLIENT REPLY ON", "+OK")
	f("ECHO seen", "$4⏎seen")
	c.send("CLIENT", "REPLY", "OFF")
	c.send("ECHO", "off")
	c.send("CLIENT", "REPLY", "SKIP")
	c.send("ECHO", "off")
	c.send("ECHO", "still off")
	f("SUBSCRIBE a", confirmed("subscribe", "a", 1)) // confirmations are no replies
	f("UNSUBSCRIBE a", confirmed("unsubscribe", "a", 0))
	f("CLIENT REPLY ON", "+OK")
	f("ECHO on", "$2⏎on")
}

func TestClientFlags(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	flags := func(want string) {
		t.Helper()
		hasFields(t, c.text("CLIENT INFO"), "flags="+want)
	}
	flags("N")
	f("CLIENT NO-EVICT ON", "+OK")
	f("CLIENT NO-TOUCH on", "+OK")
	flags("eT")
	f("CLIENT TRACKING ON BCAST", "+OK")
	flags("tBeT")
	f("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	f("SUBSCRIBE a", pushed("subscribe", "a", 1))
	flags("PtBeT")
	f("CLIENT NO-EVICT x", "-ERR syntax error")
	f("CLIENT NO-EVICT OFF", "+OK")
	f("CLIENT TRACKING OFF", "+OK")
	flags("PT")
}

func TestClientTracking(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	info := func(flags string, redirect string) string {
		return "*6⏎$5⏎flags⏎" + flags + "⏎$8⏎redirect⏎:" + redirect + "⏎$8⏎prefixes⏎*0"
	}
	const (
		onlyOptIn  = "-ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
		onlyOptOut = "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
		switchMode = " before disabling tracking for this client, and then re-enabling it with a different mode."
	)
	f("CLIENT TRACKINGINFO", info("*1⏎$3⏎off", "-1"))
	f("CLIENT GETREDIR", ":-1")
	f("CLIENT CACHING YES", "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")
	f("CLIENT TRACKING ON", "+OK")
	f("CLIENT TRACKINGINFO", info("*1⏎$2⏎on", "0"))
	f("CLIENT GETREDIR", ":0")
	f("CLIENT CACHING YES", onlyOptIn)
	f("CLIENT CACHING x", "-ERR syntax error")
	f("CLIENT TRACKING ON OPTIN", "+OK")
	f("CLIENT TRACKINGINFO", info("*2⏎$2⏎on⏎$5⏎optin", "0"))
	f("CLIENT CACHING YES", "+OK")
	f("CLIENT CACHING NO", onlyOptOut)
	f("CLIENT TRACKING ON OPTOUT", "-ERR You can't switch OPTIN/OPTOUT mode"+switchMode)
	f("CLIENT TRACKING ON BCAST", "-ERR You can't switch BCAST mode on/off"+switchMode)
	f("CLIENT TRACKING OFF", "+OK")
	f("CLIENT TRACKING ON OPTOUT NOLOOP", "+OK")
	f("CLIENT CACHING NO", "+OK")
	f("CLIENT TRACKING OFF", "+OK")
	f("CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode")
	f("CLIENT TRACKING ON BCAST OPTIN", "-ERR OPTIN and OPTOUT are not compatible with BCAST")
	f("CLIENT TRACKING ON PREFIX a", "-ERR PREFIX option requires BCAST mode to be enabled")
	f("CLIENT TRACKING ON PREFIX", "-ERR syntax error")
	f("CLIENT TRACKING ON FOO", "-ERR syntax error")
	f("CLIENT TRACKING FOO", "-ERR syntax error")
	f("CLIENT TRACKING ON REDIRECT x", "-ERR value is not an integer or out of range")
	f("CLIENT TRACKING ON REDIRECT 999999", "-ERR The client ID you want redirect to does not exist")
	f("CLIENT TRACKING ON BCAST PREFIX a PREFIX b", "+OK")
	f("CLIENT TRACKINGINFO", "*6⏎$5⏎flags⏎*2⏎$2⏎on⏎$5⏎bcast⏎$8⏎redirect⏎:0⏎$8⏎prefixes⏎*2⏎$1⏎a⏎$1⏎b")
}
