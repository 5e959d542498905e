#!/bin/sh
# Style, types, spelling and the workflow's own lint; every check runs, then the verdict.
cd "$(dirname "$0")/.." || exit 1

failed=
check() {
  echo "lint: $*"
  "$@" || failed="$failed $1"
}
check ruff check --quiet .
check ruff format --check --quiet .
check snakefmt --check Snakefile workflow
check codespell
check mypy
check snakemake --lint --quiet
[ -z "$failed" ] || {
  echo "lint: failed:$failed" >&2
  exit 1
}
