#!/usr/bin/env bash
# Start a run from the template.
#
#     deploy/dataflow/run.sh gs://BUCKET/templates/winnow.json IMAGE@sha256:... REGION INPUT[,INPUT...] gs://BUCKET/run \
#         [--max_num_workers=50 ...]
#
# The words after the output are Beam options of the stages' jobs. The same command again goes on where it stopped.
set -euo pipefail
[ $# -ge 5 ] || { echo "usage: $0 TEMPLATE IMAGE REGION INPUT[,INPUT...] OUTPUT [BEAM OPTIONS]" >&2; exit 2; }
template=$1 image=$2 region=$3 input=$4 output=$5
shift 5
# ^~^ makes ~ the separator, for the lists hold commas. One small worker drives; the stages bring their own.
gcloud dataflow flex-template run "winnow-$(date -u +%Y%m%d-%H%M%S)" \
    --template-file-gcs-location "$template" --region "$region" \
    --num-workers 1 --max-workers 1 --worker-machine-type e2-standard-2 \
    --parameters "^~^sdk_container_image=$image~input=$input~output=$output~stage_options=$*"
