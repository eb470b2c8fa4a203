#!/bin/sh
# Creates the namespace and llmflow's search attributes where they are missing. May run again at any time.
# TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_RETENTION say where, and how long finished runs are kept.
set -eu

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$TEMPORAL_RETENTION"

# A new namespace is known to every part of the server only after some seconds.
attempts=0
until temporal operator search-attribute create \
    --name LlmCostUsd --type Double \
    --name LlmAwaitingApproval --type Keyword \
    --name LlmTags --type KeywordList; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 60 ] || exit 1
    sleep 1
done
