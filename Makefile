# Two commands matter: `make demo` and `make test`. Both set up .venv first, and both are safe to repeat.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint types floors tests benchmark clean
.DEFAULT_GOAL := demo

demo: $(STAMP)
	$(BIN)/purigeom demo

test: lint types floors tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

floors: $(STAMP)
	$(BIN)/lint-imports

tests: $(STAMP)
	$(BIN)/pytest -n 2

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks.straight_way
	$(BIN)/python -m benchmarks.geometry
	$(BIN)/python -m benchmarks.attacks

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(STAMP)

clean:
	rm -rf .venv data_cache/demo
