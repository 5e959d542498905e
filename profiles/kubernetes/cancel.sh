#!/bin/sh
# cancel.sh JOB...: takes the jobs back, and their pods with them.
exec kubectl delete --ignore-not-found --wait=false "$@"
