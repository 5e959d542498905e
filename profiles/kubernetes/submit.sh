#!/bin/sh
# submit.sh IMAGE CLAIM PLACE GPUS MEGABYTES MINUTES THREADS SCRIPT: makes a Kubernetes job and prints its name.
#
# The job sees the volume at PLACE, as Snakemake does. Loader workers hand samples over in /dev/shm, of which a pod has
# 64 MB unless it is given some of its memory.
set -eu
image=$1 claim=$2 place=$3 gpus=$4 megabytes=$5 minutes=$6 threads=$7 script=$8

kubectl create --output=name --filename=- <<EOF
apiVersion: batch/v1
kind: Job
metadata: {generateName: sfigf-}
spec:
  backoffLimit: 0
  activeDeadlineSeconds: $((minutes * 60))
  ttlSecondsAfterFinished: 86400
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: job
          image: "$image"
          command: [sh, "$script"]
          resources:
            requests: {cpu: $threads, memory: ${megabytes}M}
            limits: {memory: ${megabytes}M, nvidia.com/gpu: $gpus}
          volumeMounts:
            - {name: study, mountPath: "$place"}
            - {name: shared-memory, mountPath: /dev/shm}
      volumes:
        - {name: study, persistentVolumeClaim: {claimName: "$claim"}}
        - {name: shared-memory, emptyDir: {medium: Memory}}
EOF
