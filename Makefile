# Two commands: `make run` shows outdial at work, `make test` proves it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# Tests that mostly wait, for phones and for processes to die: not beside those that keep the processors busy.
WAITING := tests/contract/carrier tests/crash tests/endtoend tests/heard tests/telephony
# Tests that load the machine and hold real time limits meanwhile have it to themselves.
ALONE   := tests/scale

# Otherwise each of the hundreds of processes that tests start would compile outdial anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint check-programs pytest bench soak crash fuzz clean

run: $(VENV)/installed
	$(BIN)/outdial demo

test: check-programs lint pytest
	@sh tests/programs.sh look  # what could not run is also the last thing said

lint: $(VENV)/developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(VENV)/developed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(patsubst %,--ignore=%,$(WAITING) $(ALONE))
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(WAITING)
	$(BIN)/coverage run -m pytest $(ALONE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90
	$(BIN)/coverage report --include='domain/*,ports/*' --fail-under=100

bench: $(VENV)/developed
	$(BIN)/python -m tests.benchmarks.accept_rate
	$(BIN)/python -m tests.benchmarks.postgres_rate
	$(BIN)/python -m tests.benchmarks.list_rate
	$(BIN)/python -m tests.benchmarks.dnc_import_rate

# The tests of many processes over one PostgreSQL, at ten times their length: some 10 minutes.
soak: $(VENV)/developed
	OUTDIAL_SOAK=10 $(BIN)/pytest tests/scale

# Processes killed at every place, and by seed until CRASH_MINUTES are over; for each of both databases.
CRASH_MINUTES ?= 10
crash: $(VENV)/developed
	$(BIN)/python -m tests.crash --database sqlite --minutes $(CRASH_MINUTES)
	$(BIN)/python -m tests.crash --database postgres --minutes $(CRASH_MINUTES)

# What strangers may send, and lives of calls, searched fifty times longer than by `make test`: some 30 minutes.
fuzz: $(VENV)/developed
	OUTDIAL_FUZZ=50 $(BIN)/pytest --timeout 1800 tests/fuzz tests/life

check-programs:
	sh tests/programs.sh

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "outdial needs Python 3.11 or newer: set PYTHON, as in 'make run PYTHON=python3.11'."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'

$(VENV)/installed: pyproject.toml $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/developed: pyproject.toml $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[mcp,otel,postgres,redis,sip]' --group dev
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache outdial-demo.db*
