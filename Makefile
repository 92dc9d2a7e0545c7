# Two commands matter: `make demo` and `make test`. Both set up .venv first, and both are safe to repeat.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
KERNEL := {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

.PHONY: demo test lint types floors tests benchmark figures notebooks clean
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

figures: $(STAMP)
	$(BIN)/python -m analyses.paper data_cache/paper
	$(BIN)/python -m figures.all data_cache/paper data_cache/figures
	$(BIN)/python -m figures.tables data_cache/paper data_cache/figures/tables

notebooks: $(STAMP)
	mkdir -p data_cache/notebooks
	for tutorial in docs/tutorials/*.py; do \
		$(BIN)/jupytext --quiet --to notebook --update-metadata '$(KERNEL)' \
			--output data_cache/notebooks/$$(basename $$tutorial .py).ipynb $$tutorial || exit 1; \
	done

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks.straight_way
	$(BIN)/python -m benchmarks.geometry
	$(BIN)/python -m benchmarks.attacks
	$(BIN)/python -m benchmarks.prediction
	$(BIN)/python -m benchmarks.cifar

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(STAMP)

clean:
	rm -rf .venv data_cache/demo
