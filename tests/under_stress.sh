#!/usr/bin/env bash
# Runs the tests while other processes keep the cores busy; the first failure ends it.
#
#   tests/under_stress.sh                     three times, beside four busy processes
#   ROUNDS=1 BUSY=8 tests/under_stress.sh -m in_turn
#
# What follows is handed to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

busy=()
for _ in $(seq "${BUSY:-4}"); do
    (while :; do :; done) &
    busy+=($!)
done
trap 'kill "${busy[@]}"' EXIT

for round in $(seq "${ROUNDS:-3}"); do
    echo "== round $round, beside ${#busy[@]} busy processes"
    uv run --no-sync pytest "$@"
done
