# `make demo` and `make test` do their own set-up. Nothing but make, git and Node 20 is assumed.

.PHONY: demo test test-faults test-mutations test-compat bench check build setup setup-compat clean
.DELETE_ON_ERROR:

demo: build setup
	npx tsx scripts/demo.ts

test: build setup
	npm run check
	npm test
	LC_ALL=sk npx vitest run test/lock test/resolve test/commands/lock.test.ts \
	  test/commands/ls.test.ts test/commands/scan.test.ts test/commands/update.test.ts test/walk-through.test.ts

# Random faults, and kills at random moments; FAULT_SEED and FAULT_RUNS, which it prints, repeat a run.
test-faults: build setup
	npx vitest run --config vitest.faults.config.ts

# Mutation testing of the pure files takes an hour or more, and CI does not run it.
test-mutations: node_modules
	npm run mutations

test-compat: build setup setup-compat
	npx vitest run --config vitest.compat.config.ts

bench: build setup setup-compat
	npm run bench

check: node_modules
	npm run check

build: node_modules
	npm run build

# The stamp that npm itself writes.
node_modules: node_modules/.package-lock.json
node_modules/.package-lock.json: package.json package-lock.json
	npm ci
	touch $@

setup:
	scripts/setup-nix.sh
	scripts/setup-python.sh
	scripts/setup-shells.sh

setup-compat:
	scripts/setup-newer-nix.sh
	scripts/setup-loaders.sh
	scripts/setup-python.sh test/compat/requirements-s3.txt
	scripts/debian-root.sh .cache/oci-root skopeo,docker-registry
	scripts/setup-newer-node.sh

clean:
	rm -rf node_modules dist coverage .cache
