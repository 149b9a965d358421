# Every target is a thin name for a script in scripts/.

.DEFAULT_GOAL := help

help: ## Lists what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-18s %s\n", $$1, $$2 }'

demo: ## Starts Mirror with a clip on air and prints the address to watch
	@scripts/demo

run: ## Starts Mirror and waits for your encoder
	@scripts/run

build: ## Builds the release binary, .build/release/mirror
	@scripts/build

certs: ## Makes a local CA and a certificate in ./certs, if there is none
	@scripts/certs

test: ## Installs what tests need and runs all of them
	@scripts/test

test-integration: ## Runs only the tests against ffmpeg, GStreamer, a browser and a CDN
	@scripts/test --filter 'IntegrationTests|BrowserTests'

test-coverage: ## Runs the tests and writes .build/coverage.txt
	@scripts/test-coverage

check: ## What CI runs: lint, import rules, all tests
	@scripts/check

lint: ## Checks the format of Swift and shell sources
	@scripts/lint

fmt: ## Formats the Swift sources
	@scripts/fmt

pre-commit: ## What to run before a commit: format, lint, unit tests
	@scripts/pre-commit

bench: ## Measures Mirror on this machine; see docs/performance.md
	@scripts/bench

setup-dev: ## Installs everything a developer needs, and the commit hook
	@scripts/setup-dev

docker-run: ## Builds the container image and starts it
	@scripts/docker-run

.PHONY: help demo run build certs test test-integration test-coverage check lint fmt pre-commit \
	bench setup-dev docker-run
