# Everything sets itself up: a machine with Python 3.11+, pip and make is enough.
UV := $(shell command -v uv || echo .venv/bin/uv)

# "make" alone says what there is to make.
.DEFAULT_GOAL := help

.PHONY: help setup run test cluster-test lint bench client docs docs-site screenshots dist release-check sample

help:  ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do printf 'make %-13s %s\n' "$$name" "$$what"; done

setup: .venv/.ready  ## Create .venv with the versions locked in uv.lock.

.venv/.ready: pyproject.toml uv.lock packages/client/pyproject.toml packages/server/pyproject.toml
	@command -v uv >/dev/null || { test -x .venv/bin/uv || { python3 -m venv .venv && .venv/bin/python -m pip install --quiet uv; }; }
	@$(UV) sync --quiet --locked --inexact
	@touch $@

run: setup  ## Start the server.
	@.venv/bin/tasker

test: setup  ## Run all tests, three at a time.
	.venv/bin/pytest -n 3 --dist worksteal

cluster-test: setup  ## Run three nodes on PostgreSQL under load and break things (8 minutes).
	PYTHONPATH=. .venv/bin/python tests/cluster

lint: setup  ## Run ruff, mypy, pyright and the check of imports.
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/pyright && .venv/bin/lint-imports

bench: setup  ## Run the benchmarks (half an hour; needs wrk).
	@command -v wrk >/dev/null || { echo "make bench: wrk, the load generator, is missing: apt-get install wrk"; exit 1; }
	.venv/bin/python -m benchmarks

client: setup  ## Write the synchronous client from the asynchronous one.
	.venv/bin/python tools/synchronous_client.py

docs: setup  ## Write the generated parts of docs/.
	.venv/bin/python docs/generate.py

docs-site: setup  ## Build the documentation as a site, in site/: open site/index.html.
	.venv/bin/sphinx-build -q -W --keep-going -b html -c docs/site . site

screenshots: setup  ## Take the pictures of docs/screenshots/ (needs Chromium, and pngquant to make them small).
	.venv/bin/python docs/screenshots.py

dist: setup  ## Build the two distributions, as wheels and source distributions, in dist/.
	@rm -rf dist
	@$(UV) build --quiet --all-packages --out-dir dist
	@ls dist

sample: setup  ## Write the sample of this version's databases and promises, in tests/samples (a minute).
	.venv/bin/python tools/database_samples.py

release-check: dist  ## Check whether this is fit to be released (three minutes); docs/releasing.md has the rest.
	.venv/bin/python tools/release_check.py
	.venv/bin/pytest -q tests/packaging tests/system/test_database_samples.py tests/docs/test_pages.py tests/docs/test_examples.py -k "not it_works_on_each_python"
