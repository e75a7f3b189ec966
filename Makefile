# The five commands of the project (make help), and a few for its maintainers.
#
# PORT and DATA_DIR (default var/) move the server and its files; PYTHON names the interpreter
# that set-up shall use; ARGS goes to the command: make demo ARGS="a.jpg holiday/".

SHELL = /bin/sh
BIN := .venv/bin
ARGS ?=
# Test processes side by side.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run demo test lint format bench soak lock messages docs reference audit licences release clean setup setup-dev

help:
	@echo 'make run     set up, then serve on http://127.0.0.1:8000 until Ctrl-C'
	@echo 'make demo    upload files (ARGS="a.jpg dir/", or samples), wait, print a table'
	@echo 'make test    the whole test suite (ARGS goes to pytest)'
	@echo 'make lint    format, lint, types, import contract, templates, migrations, locks, documentation'
	@echo 'make bench   benchmarks side by side (ARGS=images, … for one, ARGS=all; bench/run names them)'
	@echo 'make soak    uploads while things break at random (ARGS="--minutes 30 --clients 50 --seed 7")'
	@echo 'make format  put code and imports in order'
	@echo 'make lock    write the lock files anew (ARGS=--upgrade for newer versions)'
	@echo 'make messages  words out of the sources into the catalogues, and those compiled'
	@echo 'make docs    the documentation as a site, into build/site'
	@echo 'make reference  tables of the documentation anew, out of the code'
	@echo 'make audit   ask advisory services what is known of the locked packages'
	@echo 'make licences  the licences of what the application needs'
	@echo 'make release   wheel and sdist of a tagged commit, made twice, into dist/'
	@echo 'make clean   remove what builds made; var/, with the data, stays'

setup:
	@bin/setup

setup-dev:
	@bin/setup dev

run: setup
	@exec $(BIN)/python -m launch run

demo: setup
	@exec $(BIN)/python -m launch demo $(ARGS)

test: setup-dev
	@$(BIN)/python -m launch parts
	@exec $(BIN)/pytest -n $(JOBS) $(ARGS)

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint src --check --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python bin/check-locks
	@$(MAKE) --no-print-directory docs

format: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint src --reformat --quiet

bench:
	@exec bench/run $(ARGS)

soak: setup-dev
	@PYTHONPATH=src exec $(BIN)/python -m apps.media.tests.flows.soak $(ARGS)

lock:
	@bin/lock $(ARGS)

messages: setup-dev
	@bin/messages

docs: setup-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo 'build/site/index.html'

reference: setup-dev
	@DJANGO_SETTINGS_MODULE=config.settings $(BIN)/python -m launch reference

audit: setup-dev
	@$(BIN)/python -m launch audit

licences: setup-dev
	@$(BIN)/python -m launch licences

release: setup-dev
	@$(BIN)/python -m launch release $(ARGS)

clean:
	rm -rf .venv .venv-bench .venv-bench-delivery node_modules emulators/node_modules bench/node/node_modules
	rm -rf src/apps/media/static/media/dist src/*.egg-info build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src bench -name __pycache__ -type d -prune -exec rm -rf {} +
