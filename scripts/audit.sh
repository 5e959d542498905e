#!/bin/sh
# Compares the locked versions with the known vulnerabilities, by pip-audit; `sh scripts/audit.sh` or `make audit`.
#
# The tool comes from the package index when it is asked for and is in no lock: nothing else needs it. A package that
# the service does not know fails like one that is vulnerable, so that silence is never taken for safety.
set -eu
cd "$(dirname "$0")/.."

# One identifier a line, then its reason: both are needed.
accepted=$(awk '!/^#/ && NF { if (NF < 3) exit 1; printf "--ignore-vuln %s ", $1 }' scripts/audit-accepted.txt) || {
  echo "audit: scripts/audit-accepted.txt: a line is an identifier, a package and the reason" >&2
  exit 2
}
# shellcheck disable=SC2086
exec uv --system-certs tool run 'pip-audit>=2.9,<3' --requirement requirements.lock --no-deps --disable-pip --strict \
  --progress-spinner off $accepted "$@"
