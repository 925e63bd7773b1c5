-- What graph-node needs, made by the one who may: its own user need not be a superuser then.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO graph;
