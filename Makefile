# Two commands are the whole set-up: "go run ." and "make test".

# The installer may have put a Node there that is newer than Debian's.
export PATH := $(CURDIR)/e2e/.node/node_modules/.bin:$(PATH)

.PHONY: test
test: tools
	test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	cd e2e/apps/centrifugo && go vet ./...
	go test -race -timeout 6m $$(go list ./... | grep -v -e /e2e$$ -e /placement$$ -e /cluster/lane$$)
	go test -timeout 6m ./cluster/placement ./cluster/lane # no goroutine in them, and simulators that take sixteen times as long with -race
	go test -race -timeout 13m ./e2e -storm 1m

# Ten thousand lives of a simulated cluster that places rooms, and as many of one that uses them: half an hour;
# "make test" has three hundred of each. One again, told: go test ./cluster/placement -run '^TestSim$$' -v -sim.seed N
.PHONY: sim
sim:
	go test -timeout 30m ./cluster/placement -run '^TestSim$$' -sim.seeds 10000
	go test -timeout 30m ./cluster/lane -run '^TestSim$$' -sim.seeds 10000

.PHONY: tools
tools:
	@e2e/install.sh

# Three nodes on this machine: clients on 6379 to 6381, the API on 8080 to 8082. Control-C ends them.
.PHONY: cluster
cluster: build
	@seeds=127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003; nodes=""; trap 'kill $$nodes' INT TERM; \
	for i in 0 1 2; do \
		./hubsub --port $$((6379 + i)) --cluster 127.0.0.1:$$((7001 + i)) --join $$seeds --http 127.0.0.1:$$((8080 + i)) & nodes="$$nodes $$!"; \
	done; wait

# go build optimizes by default.pgo, which it finds by its name.
.PHONY: build
build:
	CGO_ENABLED=0 go build -trimpath -o hubsub .

# The profiles that default.pgo is made of, two minutes: again after changes to the data plane.
.PHONY: profiles
profiles:
	profiles/take.sh

# The comparison that the README shows, half an hour: on a quiet machine, with nothing else on its CPUs 0 and 1.
# "make compare ROWS='room rooms' PAIRS=3" for less.
.PHONY: compare
compare: build
	bench/compare.sh $(ROWS)
