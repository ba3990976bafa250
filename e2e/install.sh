#!/bin/sh
# Installs what the tests need and is not there: Debian packages, Node 20, the
# Node libraries. Says what is missing and fails where it cannot.
set -eu
cd "$(dirname "$0")"

# lacks PACKAGE COMMAND...: the package is wanted unless the command succeeds.
wanted=""
lacks() {
	package=$1
	shift
	"$@" >/dev/null 2>&1 || case " $wanted " in *" $package "*) ;; *) wanted="$wanted $package" ;; esac
}
lacks redis-server command -v redis-server
lacks redis-tools command -v redis-cli
lacks redis-tools command -v redis-benchmark
lacks nodejs command -v node
lacks npm command -v npm
lacks python3-redis /usr/bin/python3 -c "import redis.asyncio"
lacks gcc command -v cc
lacks libc6-dev test -e /usr/include/stdio.h
lacks libhiredis-dev test -e /usr/include/hiredis/hiredis.h
lacks php-cli command -v php
lacks php-redis php -r 'exit(class_exists("Redis") ? 0 : 1);'
lacks bsdutils command -v script
lacks util-linux command -v prlimit
lacks iproute2 command -v ip
if [ -n "$wanted" ]; then
	echo "installing$wanted"
	sudo=$([ "$(id -u)" = 0 ] || echo sudo)
	{ $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $wanted >/dev/null; } ||
		{ echo "cannot install$wanted: the tests need them, install them by hand" >&2; exit 1; }
	# Debian starts the redis-server that it installs, on the port where people will try HubSub. The tests start their own.
	case "$wanted" in *redis-server*)
		if command -v systemctl >/dev/null; then $sudo systemctl disable --now redis-server >/dev/null 2>&1 || true; fi ;;
	esac
fi

# Debian 12 has Node 18; the current client libraries want 20.
node20() { [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; }
PATH="$PWD/.node/node_modules/.bin:$PATH"
if ! node20; then
	echo "installing Node 20"
	npm install --silent --no-save --no-package-lock --prefix .node node@20 && node20 ||
		{ echo "cannot install Node 20: the tests need it, install it by hand" >&2; exit 1; }
fi

for folder in clients apps; do
	if [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ]; then
		echo "installing the Node libraries of e2e/$folder"
		npm ci --silent --no-audit --no-fund --prefix "$folder" ||
			{ echo "cannot install the Node libraries of e2e/$folder: is the registry within reach?" >&2; exit 1; }
	fi
done
