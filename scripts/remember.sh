#!/bin/sh
# Keeps the last finished run: what its steps took, its results on the front page, and with DVC its weights, results
# and Snakemake's records of how each file was made; and the published weights, whose cards and index git keeps.
set -eu
cd "$(dirname "$0")/.."
export LC_ALL=C

if ! snakemake --dry-run --quiet rules 2>&1 | grep -q 'Nothing to be done'; then
  echo "remember: something is still to be done; run \`make reproduce\` first (\`make plan\` says what)" >&2
  exit 1
fi

# each OPTION FOLDER PATTERN: the option before every such file. The names of a study hold no spaces.
each() {
  find "$2" -name "$3" | sort | sed "s/^/$1 /"
}

# TASK=FILE of every close-up.
pictures() {
  find results/figures -name '*-zoom.*' | sort | sed -E 's|^.*/([a-z]+)-[^/]*$|--picture \1=&|'
}

# The files of every card: one that is not here stops DVC, before it forgets it.
published() {
  echo 'outs:'
  find published -name 'seed*.md' | sort | while read -r card; do
    printf -- '- path: %s\n' "${card%.md}.jsonl" "${card%.md}.safetensors"
  done
}

# Before DVC looks at config/. Unquoted: one word per option and file.
# shellcheck disable=SC2046
sfigf costs $(each --weights results/weights '*.safetensors') $(each --log results/training '*.jsonl') \
  --output config/costs.csv
# shellcheck disable=SC2046
sfigf readme --readme README.md $(each --summary results/tables '*-summary.csv') $(pictures) \
  --pictures docs/images --output README.md

if [ -f published/index.json ]; then
  sfigf weights --verify
  published > published.dvc
  weights=' published published.dvc'
fi
dvc commit --force --no-relink
dvc push
# What earlier runs left goes; a checkout of an earlier commit has its own store.
dvc gc --workspace --cloud --force
echo "remember: kept; now \`git add --all dvc.lock dvcstore config/costs.csv README.md docs/images${weights:-}\` and commit"
