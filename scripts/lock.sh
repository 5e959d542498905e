#!/bin/sh
# Writes requirements.lock from pyproject.toml: `scripts/lock.sh` keeps the versions it holds, `--upgrade` takes the newest.
#
# One version of each package for Linux and macOS, Python 3.11 to 3.13. The CUDA packages are left out: torch names
# them itself where they apply, and a machine that has a CPU build of torch must not be given them.
set -eu
cd "$(dirname "$0")/.."

lock=requirements.lock
draft=$(mktemp)
trap 'rm -f "$draft"' EXIT
[ ! -f "$lock" ] || cp "$lock" "$draft"

uv --system-certs pip compile pyproject.toml --extra workflow --extra export --extra test --universal --python-version 3.11 \
  --fork-strategy fewest --no-annotate --no-header --quiet "$@" -o "$draft" >/dev/null

{
  echo "# Exact versions for Linux and macOS, Python 3.11 to 3.13. Made from pyproject.toml by scripts/lock.sh: do not edit."
  sed -E \
    -e "/^(#|cuda-|nvidia-|triton)/d" \
    -e "/(python_full_version >= '3\.1[4-9]'|sys_platform == 'win32'$)/d" \
    -e "s/ ; python_full_version < '3\.1[4-9]'$//" "$draft"
} >"$lock.new"
mv "$lock.new" "$lock"
