#!/bin/sh
# Run once by the postgres image in a new cluster: the owner of the tables, the application role, the database.
set -eu
psql -v ON_ERROR_STOP=1 -v owner_password="$SLUIS_OWNER_PASSWORD" -v app_password="$SLUIS_APP_PASSWORD" --username postgres <<'SQL'
CREATE ROLE sluis_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE sluis_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE sluis OWNER sluis_owner;
REVOKE ALL ON DATABASE sluis FROM PUBLIC;
GRANT CONNECT ON DATABASE sluis TO sluis_app;
SQL
