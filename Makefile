# The project's jobs. `make demo` and `make test` need only Python 3.11 and make: they set everything up.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Small matrices on two cores: threads cost more than they give, and one thread keeps sums reproducible.
export OMP_NUM_THREADS ?= 1
export DO_NOT_TRACK ?= 1
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false

# Tests in two processes; those of one file stay together, since they share the nights that they look at.
PROCESSES ?= -n 2 --dist loadfile

.PHONY: demo serve test test-slow lint types imports unit bench gpu learners nights loops dictionary format lock clean

demo: data/raw/open_bandit/metacart.toml data/raw/demo/metacart.toml  ## a night of both shops, the real one first
	$(BIN)/metacart run --config data/raw/open_bandit/metacart.toml
	$(BIN)/metacart run --config data/raw/demo/metacart.toml

serve: $(VENV)/ready  ## Prefect's server, a worker and the reports, until Ctrl-C
	exec $(BIN)/metacart serve

data/raw/open_bandit/metacart.toml: | $(VENV)/ready
	$(BIN)/metacart data fetch open_bandit

data/raw/demo/metacart.toml: | $(VENV)/ready
	$(BIN)/metacart simulate --out data/raw/demo --world nonlinear --overwrite

test: lint types imports unit  ## what CI runs

test-slow: lint types imports  ## everything, minutes-long studies included
	$(BIN)/pytest -q $(PROCESSES) -m "slow or not slow"

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

imports: $(VENV)/ready
	$(BIN)/lint-imports

unit: $(VENV)/ready
	$(BIN)/pytest -q $(PROCESSES)

bench: $(VENV)/ready  ## sizes and ratios as JSON, one object a line; minutes, and gigabytes of scratch
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_simulator.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ingest.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_features.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ope.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ope_tool.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_night.py

gpu:  ## on a machine with a GPU: the tests marked for it and the benchmark, from a clean copy; writes RESULTS.md
	PYTHONPATH=. $$(test -x $(BIN)/python && echo $(BIN)/python || echo python3) tests/benchmarks/on_gpu.py

learners: $(VENV)/ready  ## the table of learners in simulated shops; two to three hours on two cores; it can be interrupted
	$(BIN)/metacart compare studies --seeds 10 --jobs 2 --out data/learners
	cp data/learners/LEARNERS.md offline_rl/meta/LEARNERS.md
	cp data/learners/learners.jsonl offline_rl/meta/learners.jsonl

nights: $(VENV)/ready  ## learners in whole nights of simulated shops; most of an hour on two cores; it can be interrupted
	$(BIN)/metacart compare --jobs 2 --nulls 20 --out data/compare
	cp data/compare/nights.jsonl offline_rl/meta/nights.jsonl
	cp data/compare/nights.md offline_rl/meta/NIGHTS.md

loops: $(VENV)/ready  ## closed loops of simulated shops and their goals; six hours on two cores; it can be interrupted
	$(BIN)/metacart loop --world mild strong shift --first-seed 1010 --seeds 10 --rival-seeds 4 --jobs 2 --out data/loops
	$(BIN)/metacart loop --world null --ways metacart --first-seed 1100 --seeds 10 --users 150 --nights 60 --jobs 2 --out data/null_loops
	cat data/loops/loop.md data/null_loops/loop.md > flows/simulations/loop/LOOPS.md
	cat data/loops/*/days.jsonl data/null_loops/*/days.jsonl > flows/simulations/loop/loops.jsonl

dictionary: $(VENV)/ready  ## the data dictionary in features/README.md, from the contracts
	$(BIN)/python -m features.contracts.dictionary

format: $(VENV)/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip reads the lock first, so that the editable install finds every dependency and needs no network.
# It says nothing meanwhile: on a terminal a line counts the seconds.
$(VENV)/ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "pip installs $$(grep -c == requirements.lock) packages into $(VENV): a minute or two, 2 GB"
	@$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock & pip=$$!; s=0; \
	while [ -t 1 ] && kill -0 $$pip 2>/dev/null; do s=$$((s + 1)); printf '\r  %s s ' $$s; sleep 1; done; \
	wait $$pip
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## resolve pyproject.toml anew and write requirements.lock
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet torch==2.13.0
	.venv-lock/bin/pip install --quiet ".[test]" "setuptools>=77"
	sed -n '/^#/p' requirements.lock > requirements.lock.new
	.venv-lock/bin/pip freeze --all | grep -v -E '^(pip|metacart)( |=)' | sed 's/+cpu//' >> requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf .venv-lock

clean:  ## forget every run; the fetched and simulated logs stay
	rm -rf data/warehouse data/work data/published
