# Two commands do all set-up on a machine with nothing but Python ≥ 3.11, make and pip:
#   make run    try the bots on a page like LINE, no key, no account
#   make chat   try one in the terminal
#   make test   lint, types and tests
#   make bench  botkit against handlers written by hand, in turns; rewrites docs/performance.*
#   make bench-parts                       what loading bot files, delivering messages and playing scenarios costs
#   make simulate                          crashes, losses and delays by the ten thousand, with the real delivery code
#   make picture                           the README's picture, from the page itself
#   make conformance STORE=dynamodb://T    the store's contract, on a table of yours
PYTHON ?= python3
BOT ?= assistant
VENV := .venv
BIN := $(VENV)/bin
CLOUD := .venv-cloud

.PHONY: run chat test lint bench bench-parts simulate picture conformance lock clean

run: $(VENV)/.ready
	@$(BIN)/botkit dev

chat: $(VENV)/.ready
	@$(BIN)/botkit chat $(BOT)

test: $(VENV)/.ready $(CLOUD)/.ready lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready
	$(BIN)/python -m benchmarks.versus --docs docs

bench-parts: $(VENV)/.ready
	$(BIN)/python benchmarks/loading.py
	$(BIN)/python -m benchmarks.delivery
	$(BIN)/python benchmarks/scenarios.py

simulate: $(VENV)/.ready
	$(BIN)/python -m tests.simulation

picture: $(VENV)/.ready
	$(BIN)/python -m tests.simulator.page.picture

conformance: $(VENV)/.ready
	BOTKIT_CONFORMANCE_STORE=$(STORE) $(BIN)/python -m pytest tests/stores/test_conformance.py

# Installs exactly what requirements.lock names, hashes checked; botkit itself is linked, not copied.
$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# The judges of the CloudFormation template, for the tests alone; apart, because they ask for older packages.
$(CLOUD)/.ready: requirements-cloud.lock $(VENV)/.ready
	$(PYTHON) -m venv --without-pip $(CLOUD)
	$(BIN)/uv pip sync --quiet --python $(CLOUD)/bin/python --require-hashes requirements-cloud.lock
	@touch $@

# After a change of the dependencies in pyproject.toml.
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-annotate --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --group cloud --generate-hashes \
		--no-annotate --no-header --output-file requirements-cloud.lock

clean:
	rm -rf $(VENV) $(CLOUD)
