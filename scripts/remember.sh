#!/bin/sh
# Keeps the last finished run with DVC: weights, results, and Snakemake's records of how each file was made.
set -eu
cd "$(dirname "$0")/.."

if ! snakemake --dry-run --quiet rules 2>&1 | grep -q 'Nothing to be done'; then
  echo "remember: something is still to be done; run \`make reproduce\` first (\`make plan\` says what)" >&2
  exit 1
fi
dvc commit --force --no-relink
dvc push
echo "remember: kept; now \`git add dvc.lock dvcstore\` and commit"
