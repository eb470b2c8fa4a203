#!/bin/sh
# Brings the schema of Temporal's two databases up to this server's version. May run again at any time.
# SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD say where; the schemas are inside temporal-sql-tool.
set -eu
export SQL_PLUGIN=postgres12

for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%%:*}
    temporal-sql-tool --db "$database" setup-schema --version 0.0
    temporal-sql-tool --db "$database" update-schema --schema-name "postgresql/v12/${pair##*:}"
done
