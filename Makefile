# Everything sets itself up: a machine with Python 3.11+, pip and make is enough.
UV := $(shell command -v uv || echo .venv/bin/uv)

.PHONY: setup run test cluster-test lint bench docs

setup: .venv/.ready

.venv/.ready: pyproject.toml uv.lock
	@command -v uv >/dev/null || { test -x .venv/bin/uv || { python3 -m venv .venv && .venv/bin/python -m pip install --quiet uv; }; }
	@$(UV) sync --quiet --locked --inexact
	@touch $@

run: setup
	@.venv/bin/tasker

test: setup
	.venv/bin/pytest

cluster-test: setup
	PYTHONPATH=. .venv/bin/python tests/cluster

lint: setup
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/lint-imports

bench: setup
	@command -v wrk >/dev/null || { echo "make bench: wrk, the load generator, is missing: apt-get install wrk"; exit 1; }
	.venv/bin/python -m benchmarks

docs: setup
	.venv/bin/python docs/generate.py
