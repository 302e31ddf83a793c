# The project's jobs. `make demo` and `make test` need only Python 3.11 and make: they set everything up.
PYTHON ?= python3.11
BIN := .venv/bin
# Small matrices on two cores: threads cost more than they give, and one thread keeps sums reproducible.
export OMP_NUM_THREADS ?= 1
export DO_NOT_TRACK ?= 1
export PREFECT_SERVER_ANALYTICS_ENABLED ?= false

# Tests in two processes; those of one file stay together, since they share the nights that they look at.
PROCESSES ?= -n 2 --dist loadfile

.PHONY: demo test test-slow lint types imports unit bench gpu learners nights dictionary format lock clean

demo: data/raw/open_bandit/metacart.toml data/raw/demo/metacart.toml  ## a night of both shops, the real one first
	$(BIN)/metacart run --config data/raw/open_bandit/metacart.toml
	$(BIN)/metacart run --config data/raw/demo/metacart.toml

data/raw/open_bandit/metacart.toml: | .venv/ready
	$(BIN)/metacart data fetch open_bandit

data/raw/demo/metacart.toml: | .venv/ready
	$(BIN)/metacart simulate --out data/raw/demo --world nonlinear --overwrite

test: lint types imports unit  ## what CI runs

test-slow: lint types imports  ## everything, minutes-long studies included
	$(BIN)/pytest -q $(PROCESSES) -m "slow or not slow"

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

imports: .venv/ready
	$(BIN)/lint-imports

unit: .venv/ready
	$(BIN)/pytest -q $(PROCESSES)

bench: .venv/ready  ## sizes and ratios as JSON, one object a line; minutes, and gigabytes of scratch
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_simulator.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ingest.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_features.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ope.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_ope_tool.py

gpu:  ## on a machine with a GPU: the tests marked for it and the benchmark, from a clean copy; writes RESULTS.md
	PYTHONPATH=. $$(test -x $(BIN)/python && echo $(BIN)/python || echo python3) tests/benchmarks/on_gpu.py

learners: .venv/ready  ## the table of learners in simulated shops; two to three hours on two cores; it can be interrupted
	$(BIN)/metacart compare studies --seeds 10 --jobs 2 --out data/learners
	cp data/learners/LEARNERS.md offline_rl/meta/LEARNERS.md
	cp data/learners/learners.jsonl offline_rl/meta/learners.jsonl

nights: .venv/ready  ## learners in whole nights of simulated shops; most of an hour on two cores; it can be interrupted
	$(BIN)/metacart compare --jobs 2 --nulls 20 --out data/compare
	cp data/compare/nights.jsonl offline_rl/meta/nights.jsonl
	cp data/compare/nights.md offline_rl/meta/NIGHTS.md

dictionary: .venv/ready  ## the data dictionary in features/README.md, from the contracts
	$(BIN)/python -m features.contracts.dictionary

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip reads the lock first, so that the editable install finds every dependency and needs no network.
.venv/ready: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
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
