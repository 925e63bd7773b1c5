#!/bin/sh
# Asks the API with nothing but curl: sh examples/curl.sh [URL [ROUND]]
set -eu
url=${1:-http://127.0.0.1:4000}
round=${2:-null}

# A plain GET, which caches on the way may answer too.
curl --fail-with-body --silent --show-error --compressed --get "$url/graphql" \
  --data-urlencode 'query=query ($round: Int) { round(number: $round) { number totalActiveStake } status { network block stale } }' \
  --data-urlencode "variables={\"round\": $round}"
echo

# The same by POST.
curl --fail-with-body --silent --show-error --compressed "$url/graphql" \
  --header 'Content-Type: application/json' \
  --data "{\"query\": \"query (\$round: Int) { round(number: \$round) { number totalStake } }\", \"variables\": {\"round\": $round}}"
echo
