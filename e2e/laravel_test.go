package e2e

import (
	"slices"
	"testing"
)

// TestLaravel: events that Laravel's broadcaster publishes, heard as laravel-echo-server hears them, with one pattern,
// and by name.
func TestLaravel(t *testing.T) {
	need(t, "php-cli php-redis", "php", "-r", "exit(extension_loaded('redis') ? 0 : 1);")
	f := func(s *server) {
		echo, office := dial(t, s), dial(t, s)
		must(t,
			echo.expect("[psubscribe laravel_database_* 1]", "PSUBSCRIBE", "laravel_database_*"),
			office.expect("[subscribe laravel_database_presence-office 1]", "SUBSCRIBE", "laravel_database_presence-office"))

		runPart(t, s, []string{"php", "apps/laravel.php"})

		shipped := `{"event":"OrderShipped","data":{"id":1,"note":"\ud83d\ude9a\r\n"},"socket":null}`
		saved := `{"event":"App\\Events\\Saved","data":[],"socket":null}`
		must(t, office.next("[message laravel_database_presence-office "+shipped+"]"))
		want := []string{
			"[pmessage laravel_database_* laravel_database_private-orders.1 " + shipped + "]",
			"[pmessage laravel_database_* laravel_database_presence-office " + shipped + "]",
			"[pmessage laravel_database_* laravel_database_news " + shipped + "]",
			"[pmessage laravel_database_* laravel_database_news " + saved + "]",
		}
		var got []string
		for range want {
			r, err := echo.read()
			must(t, err)
			got = append(got, r.String())
		}
		slices.Sort(got) // three rooms, which have no common order
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the pattern hears %q, want %q", got, want)
		}
		must(t, echo.expect("[pong ]", "PING"), office.expect("[pong ]", "PING"))
	}
	t.Run("redis", func(t *testing.T) { f(startRedis(t)) })
	t.Run("hubsub", func(t *testing.T) { f(startHubSub(t)) })
	t.Run("cluster", func(t *testing.T) { f(startCluster(t)) })
}
