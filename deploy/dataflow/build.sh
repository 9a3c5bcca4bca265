#!/usr/bin/env bash
# Build and push the worker and the template's image, and write the template's file.
#
#     deploy/dataflow/build.sh REGION-docker.pkg.dev/PROJECT/REPOSITORY gs://BUCKET/templates/winnow.json
#
# Needs docker and gcloud, logged in. Every image is passed on by its digest.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -eq 2 ] || { echo "usage: $0 REPOSITORY gs://BUCKET/TEMPLATE.json" >&2; exit 2; }
repository=$1 template=$2
launcher=${LAUNCHER_IMAGE:-gcr.io/dataflow-templates-base/python311-template-launcher-base:latest}

digest_of() { # the pinned name of an image that was pulled or pushed
    docker image inspect --format '{{index .RepoDigests 0}}' "$1"
}

docker build --file deploy/image/Dockerfile --tag "$repository/winnow-worker" .
docker push "$repository/winnow-worker"
docker pull "$launcher"
docker build --file deploy/dataflow/Dockerfile --tag "$repository/winnow-dataflow" \
    --build-arg WORKER_IMAGE="$(digest_of "$repository/winnow-worker")" \
    --build-arg LAUNCHER_IMAGE="$(digest_of "$launcher")" .
docker push "$repository/winnow-dataflow"
gcloud dataflow flex-template build "$template" --sdk-language PYTHON \
    --image "$(digest_of "$repository/winnow-dataflow")" --metadata-file deploy/dataflow/metadata.json
