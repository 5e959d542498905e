#!/bin/sh
# Packs what a reader needs to check a study: the committed code, the settings in force, tables, figures, weights.
set -eu
cd "$(dirname "$0")/.."

archive=build/sfigf-study.tar
[ -f results/report.html ] || { echo "archive: no results/report.html yet; run \`make reproduce\` first" >&2; exit 1; }
[ -z "$(git status --porcelain)" ] || echo "archive: changes that are not committed are left out" >&2
mkdir -p build
git archive --format=tar --output="$archive" HEAD
tar -rf "$archive" results/config.yaml results/metrics.json results/audit results/costs results/scores \
  results/tables results/figures results/training results/weights results/report.html
gzip -9 -f "$archive"
echo "archive: $archive.gz"
