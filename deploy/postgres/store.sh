#!/bin/sh
# Creates llmflow's own user and database. The postgres image runs it once, when its volume is empty.
set -eu

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$STORE_PASSWORD" <<'SQL'
CREATE ROLE llmflow LOGIN PASSWORD :'password';
CREATE DATABASE llmflow OWNER llmflow;
REVOKE ALL ON DATABASE llmflow FROM PUBLIC;
SQL
