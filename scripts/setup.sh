#!/bin/sh
# Makes .venv as requirements.lock says, and does nothing when it stands. Called by make; or `sh scripts/setup.sh`.
#
# PYTHON=/path/to/python3.12    takes that interpreter instead of the first suitable one
# TORCH_INDEX_URL=https://...   takes torch from that index, say one with CPU-only builds
#
# An interrupted or outdated set-up is begun again from nothing; the downloads are kept by pip's and uv's caches.
set -u
cd "$(dirname "$0")/.." || exit 1

venv=.venv
log=$venv/setup.log
wanted="$(cksum <requirements.lock) $(pwd -P)"
needed_mb=3000

fail() {
  echo "set-up: $1" >&2
  exit 1
}

suitable() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# The interpreter behind a virtual environment, so that an activated .venv can be made anew.
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
  else
    set -- python3.11 python3.12 python3.13 python3 python "$HOME"/.pyenv/versions/3.1[123]*/bin/python
  fi
  for candidate; do
    suitable "$candidate" && "$candidate" -c 'import sys; print(sys._base_executable)' && return
  done
  found=$("$1" --version 2>/dev/null || python3 --version 2>/dev/null || echo "no Python")
  fail "needs Python 3.11, 3.12 or 3.13, found $found; install one, or name it: PYTHON=/path/to/python3.12 make ..."
}

explain_failure() {
  if grep -qiE 'no space left|disk quota exceeded' "$log"; then
    fail "the disk is full: make room (about 3 GB) and run it again"
  elif grep -qiE 'NewConnectionError|NameResolution|name resolution|ConnectTimeout|ProxyError|unreachable|dns error|connection refused|timed out|error sending request' "$log"; then
    fail "no network: the Python package index cannot be reached; connect and run it again (log: $log)"
  elif grep -qi 'no matching distribution' "$log"; then
    fail "no build for this machine ($(uname -sm), $("$python" --version)): $(grep -i 'no matching distribution' "$log" | tail -n 1)"
  fi
  fail "$1 failed: $(tail -n 1 "$log") (log: $log)"
}

step() {
  message=$1
  shift
  echo "set-up: $message"
  "$@" >>"$log" 2>&1
}

pinned() {
  grep -E "^($1)==" requirements.lock
}

install_torch() {
  # pip, not uv: only pip knows a build of torch that this machine's pip settings offer. Unquoted: one word a package.
  # shellcheck disable=SC2046
  "$venv/bin/python" -m pip install --retries 2 ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} $(pinned torch)
}

install_installer() {
  # shellcheck disable=SC2046
  "$venv/bin/python" -m pip install --retries 2 $(pinned 'uv|setuptools')
}

install_rest() {
  "$venv/bin/uv" --system-certs pip install --python "$venv/bin/python" --compile-bytecode -r requirements.lock ||
    "$venv/bin/python" -m pip install --retries 2 -r requirements.lock
}

install_package() {
  "$venv/bin/python" -m pip install --no-deps --no-build-isolation -e .
}

keep_dvc_private() {
  PATH=$PWD/$venv/bin:$PATH sh scripts/private_dvc.sh
}

[ "$(cat "$venv/.ready" 2>/dev/null)" = "$wanted" ] && [ -x "$venv/bin/python" ] && exit 0

git --version >/dev/null 2>&1 || fail "needs git: install it and run this again"
python=$(find_python) || exit 1
"$python" -c 'import ensurepip, sqlite3, ssl, venv' 2>/dev/null ||
  fail "$python lacks venv, ssl or sqlite3 (Debian: apt install python3-venv); or name another: PYTHON=/path/to/python3.12 make ..."
free_mb=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free_mb" -ge "$needed_mb" ] || fail "needs about $needed_mb MB of disk here, $free_mb MB are free; make room and run it again"

echo "set-up: $("$python" --version) at $python, into $venv; once, a minute or two"
if [ "$(uname -s)" = Linux ] && [ ! -e /dev/nvidia0 ] && [ -z "${TORCH_INDEX_URL:-}" ]; then
  echo "set-up: no NVIDIA GPU seen; TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu may spare you 4 GB of CUDA libraries"
fi
"$python" -m venv --clear "$venv" || fail "$python cannot make a virtual environment here"
step "1/4 torch" install_torch || explain_failure "torch"
step "2/4 installer" install_installer || explain_failure "installer"
step "3/4 the other packages" install_rest || explain_failure "packages"
step "4/4 sfigf" install_package || explain_failure "sfigf"
keep_dvc_private >>"$log" 2>&1 || explain_failure "a private folder for DVC"
"$venv/bin/python" -c 'import snakemake, torch' >>"$log" 2>&1 || explain_failure "first import"
echo "$wanted" >"$venv/.ready"
echo "set-up: ready"
