#!/bin/sh
# Creates the users of llmflow and of Temporal, each with databases of its own that the other cannot open. The postgres
# image runs it once, when its volume is empty.
set -eu

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set store_password="$STORE_PASSWORD" --set temporal_password="$TEMPORAL_PASSWORD" <<'SQL'
CREATE ROLE llmflow LOGIN PASSWORD :'store_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE llmflow OWNER llmflow;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE ALL ON DATABASE llmflow, temporal, temporal_visibility FROM PUBLIC;
SQL
