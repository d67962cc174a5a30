# Everything a user or a developer runs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --frozen --no-sync
PYTEST_WORKERS ?= 2
# Tests of a file share loads, so a file stays in one process; in their order, the long files first.
# (With pytest 9.2, groups of pytest-xdist 3.8 are ignored: --dist loadgroup splits files.)
BY_FILE := --dist loadfile --no-loadscope-reorder

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

load: .venv/ready ## Load everything up to yesterday and publish the warehouse
	@$(RUN) clientele load

up: .venv/ready ## Start Dagster's web UI and daemon on http://127.0.0.1:3000
	@$(RUN) clientele up

status: .venv/ready ## Show what is served and how the last loads went
	@$(RUN) clientele status

doctor: .venv/ready ## Check that this machine has what a load needs
	@$(RUN) clientele doctor

test: check ## Format, lint, types and all tests
	$(RUN) pytest -n $(PYTEST_WORKERS) $(BY_FILE)

check: .venv/ready ## Format, lint and types only
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) sqlfluff lint --disable-progress-bar -p 2 dbt/models dbt/tests/*.sql

format: .venv/ready ## Format the code
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

test-long: .venv/ready ## The tests of whole systems over several nights, of Superset, of kills (two hours or more)
	$(RUN) pytest -m long -n $(PYTEST_WORKERS) $(BY_FILE) tests/acceptance

spark-install: .venv/ready ## Add Spark to the environment (0.5 GB; needs Java 17), for `load --target spark`
	$(UV) sync --frozen --inexact --group spark

superset-install: .venv/ready ## Make Apache Superset's own environment in .superset (0.9 GB)
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.superset $(UV) sync --frozen --project dagster_project/serving/superset/environment

superset: superset-install ## Start Apache Superset with datasets and dashboards (docs/serving.md)
	@$(RUN) clientele superset

parity: spark-install ## The whole year on both engines, compared row by row (a home of its own: data/parity)
	CLIENTELE_HOME=$(CURDIR)/data/parity $(RUN) clientele load
	CLIENTELE_HOME=$(CURDIR)/data/parity $(RUN) clientele load --target spark
	CLIENTELE_HOME=$(CURDIR)/data/parity $(RUN) clientele parity

soak: .venv/ready ## All 305 files of Online Retail in nights against a rebuild (about an hour)
	$(RUN) pytest -m soak tests/soak

bench: .venv/ready ## Measure against the floor, a bare dbt build and others; writes benchmarks/REPORT.md
	$(UV) sync --frozen --group bench
	$(RUN) python -m benchmarks

clean: ## Remove the environment and caches; data/ and warehouse.duckdb stay
	rm -rf .venv .uv .superset .pytest_cache .mypy_cache .ruff_cache dbt/target dbt/logs

# The environment is made from the lock; uv itself is fetched into .uv if the machine has none.
# Inexact, so that it leaves what spark-install added.
.venv/ready: uv.lock pyproject.toml
	@command -v $(UV) >/dev/null || (echo "installing uv into .uv" && python3 -m venv .uv && .uv/bin/pip install -q uv)
	$(UV) sync --frozen --inexact
	@touch $@

.PHONY: help load up status doctor test test-long check format spark-install superset-install superset parity soak bench clean
