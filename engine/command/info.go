package command

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"hubsub/engine"
)

// report is one answer of INFO while it is written.
type report struct {
	h    *Handler
	e    *engine.Engine
	text strings.Builder
}

// sections are what INFO shows, in Redis's order. All of them are the default.
var sections = []struct {
	name  string
	write func(*report)
}{
	{"Server", (*report).server},
	{"Clients", (*report).clients},
	{"Memory", (*report).memory},
	{"Persistence", (*report).persistence},
	{"Stats", (*report).stats},
	{"Replication", (*report).replication},
	{"CPU", (*report).cpu},
	{"Modules", func(*report) {}},
	{"Cluster", (*report).cluster},
	{"Keyspace", func(*report) {}},
}

// info is INFO [section …]. A section that there is not is left out.
func info(c call) {
	r := report{h: c.h, e: c.s.Engine()}
	for _, section := range sections {
		if wanted(c.args(), section.name) {
			if r.text.Len() > 0 {
				r.text.WriteString("\r\n")
			}
			fmt.Fprintf(&r.text, "# %s\r\n", section.name)
			section.write(&r)
		}
	}
	c.reply().Verbatim("txt", r.text.String())
}

func wanted(args [][]byte, section string) bool {
	for _, arg := range args {
		for _, name := range []string{section, "default", "all", "everything"} {
			if strings.EqualFold(string(arg), name) {
				return true
			}
		}
	}
	return len(args) == 0
}

func (r *report) line(field, value string) {
	r.text.WriteString(field)
	r.text.WriteByte(':')
	r.text.WriteString(value)
	r.text.WriteString("\r\n")
}

func (r *report) number(field string, n int64) { r.line(field, strconv.FormatInt(n, 10)) }

// size writes a number of bytes twice, the second time for people.
func (r *report) size(field string, n int64) {
	r.number(field, n)
	r.line(field+"_human", humanBytes(n))
}

func (r *report) server() {
	up := time.Since(r.h.started)
	r.line("redis_version", Version)
	r.line("redis_mode", "standalone")
	r.line("os", osName())
	r.number("arch_bits", strconv.IntSize)
	r.line("multiplexing_api", "epoll")
	r.line("go_version", runtime.Version())
	r.number("process_id", int64(os.Getpid()))
	r.line("run_id", r.h.runID)
	r.number("tcp_port", int64(r.h.Port))
	r.number("server_time_usec", time.Now().UnixMicro())
	r.number("uptime_in_seconds", int64(up.Seconds()))
	r.number("uptime_in_days", int64(up.Hours()/24))
	if path, err := os.Executable(); err == nil {
		r.line("executable", path)
	}
	r.line("config_file", r.h.ConfigFile)
}

func (r *report) clients() {
	st := r.e.Stats()
	r.number("connected_clients", st.Connections)
	r.line("cluster_connections", "0")
	r.number("maxclients", int64(r.e.Settings().MaxClients))
	r.number("blocked_clients", r.h.asking.Load())
	r.number("pubsub_clients", st.Subscribers)
}

func (r *report) memory() {
	heap, resident := memoryInUse()
	r.size("used_memory", heap)
	r.size("used_memory_rss", resident)
	r.size("total_system_memory", systemMemory())
	r.size("maxmemory", 0)
	r.line("maxmemory_policy", "noeviction")
	r.line("mem_fragmentation_ratio", strconv.FormatFloat(float64(resident)/float64(heap), 'f', 2, 64))
	r.number("mem_clients_normal", r.e.Stats().ClientMemory)
	r.line("mem_allocator", "go")
}

// persistence says that there is nothing to load or save; clients wait until
// loading is 0.
func (r *report) persistence() {
	for _, field := range []string{
		"loading", "async_loading", "rdb_changes_since_last_save", "rdb_bgsave_in_progress",
		"aof_enabled", "aof_rewrite_in_progress",
	} {
		r.line(field, "0")
	}
}

func (r *report) stats() {
	st := r.e.Stats()
	r.number("total_connections_received", st.ConnectionsReceived)
	r.number("total_commands_processed", st.Commands)
	r.number("total_net_input_bytes", st.InputBytes)
	r.number("total_net_output_bytes", st.OutputBytes)
	r.number("instantaneous_ops_per_sec", int64(st.Rates.Commands))
	r.line("instantaneous_input_kbps", kilobytes(st.Rates.InputBytes))
	r.line("instantaneous_output_kbps", kilobytes(st.Rates.OutputBytes))
	r.number("rejected_connections", st.ConnectionsRejected)
	for _, field := range []string{"expired_keys", "evicted_keys"} {
		r.line(field, "0")
	}
	r.number("evicted_clients", st.EvictedClients)
	for _, field := range []string{"keyspace_hits", "keyspace_misses"} {
		r.line(field, "0")
	}
	r.number("pubsub_channels", st.Channels)
	r.number("pubsub_patterns", r.e.Patterns())
	r.number("pubsubshard_channels", st.ShardChannels)
	r.number("total_messages_published", st.Published)
	r.number("total_messages_delivered", st.Delivered)
	r.number("total_writes_processed", st.Sends)
	r.number("client_query_buffer_limit_disconnections", st.QueryBufferCloses)
	r.number("client_output_buffer_limit_disconnections", st.OutputLimitCloses)
	r.number("acl_access_denied_auth", r.h.denials.count("auth"))
	r.number("acl_access_denied_cmd", r.h.denials.count("command"))
	r.number("acl_access_denied_key", 0)
	r.number("acl_access_denied_channel", r.h.denials.count("channel"))
	// What Redis does not count.
	r.number("client_timeout_disconnections", st.TimeoutCloses)
	r.number("client_protocol_error_disconnections", st.ProtocolErrorCloses)
	r.number("client_kill_disconnections", st.KilledClients)
	r.number("client_output_bytes_dropped", st.DroppedBytes)
	r.number("instantaneous_published_per_sec", int64(st.Rates.Published))
	r.number("instantaneous_delivered_per_sec", int64(st.Rates.Delivered))
}

func kilobytes(n float64) string { return strconv.FormatFloat(n/1024, 'f', 2, 64) }

func (r *report) replication() {
	r.line("role", "master")
	r.line("connected_slaves", "0")
	r.line("master_failover_state", "no-failover")
	r.line("master_repl_offset", "0")
}

func (r *report) cpu() {
	user, system := cpuTimes()
	r.line("used_cpu_sys", seconds(system))
	r.line("used_cpu_user", seconds(user))
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 6, 64) }

// humanBytes gives n in the largest unit of which there is at least one, with
// two digits after the point: "1.50M".
func humanBytes(n int64) string {
	const units = "BKMGTP"
	if n < 1024 {
		return strconv.FormatInt(n, 10) + units[:1]
	}
	unit := min(int(math.Log2(float64(n))/10), len(units)-1)
	return strconv.FormatFloat(float64(n)/math.Pow(1024, float64(unit)), 'f', 2, 64) + units[unit:unit+1]
}
