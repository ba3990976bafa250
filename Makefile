# Two commands are the whole set-up: "go run ." and "make test".

PACKAGES = redis-server redis-tools

# Debian starts a redis-server when it installs one; the tests start their own.
.PHONY: test
test: tools
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	go test -race -timeout 12m ./...

.PHONY: tools
tools:
	@missing=""; for tool in redis-server redis-cli redis-benchmark; do \
		command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing$$missing ($(PACKAGES))"; \
		sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$sudo apt-get update -qq && \
		$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) || \
		{ echo "cannot install $(PACKAGES): the tests need them, install them by hand"; exit 1; }; fi

.PHONY: build
build:
	CGO_ENABLED=0 go build -trimpath -o hubsub .
