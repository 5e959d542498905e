#!/bin/sh
# Gives DVC a folder that only its owner may enter, .dvc/private; called by the set-up, or `sh scripts/private_dvc.sh`.
#
# DVC unpickles what it finds in its site cache, by default a folder in which everybody on the machine may write
# (CVE-2025-69872, docs/audit.md). Who has named another folder keeps it.
set -eu
cd "$(dirname "$0")/.."
[ -d .dvc ] || exit 0

private=$(pwd -P)/.dvc/private
case $(dvc config --local core.site_cache_dir 2>/dev/null || true) in
  "" | */.dvc/private) ;;
  *) exit 0 ;;
esac
mkdir -p -m 700 "$private"
chmod 700 "$private"
dvc config --quiet --local core.site_cache_dir "$private"
