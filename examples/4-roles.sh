#!/bin/sh
# Reads over the standbys of a cluster that PAF runs (PostgreSQL Automatic Failover, the agent
# ocf:heartbeat:pgsqlms of the package resource-agents-paf).
#
# PAF publishes no attribute.  Roles are its language: the pool is where an instance is Unpromoted,
# and the read address is on lo.
#
# Run it once, as root, on one node of a running cluster.
set -eu

# --- to be edited, or set in the environment ---
: "${INTERFACE:=eth0}"                                    # of the addresses below, on all nodes
: "${PREFIX:=24}"                                         # of their network
: "${WRITE_VIP:=192.168.0.236}"                           # for writes: on the primary's node
: "${READ_VIP:=192.168.0.237}"                            # for reads: on the director's node
: "${PORT:=5432}"                                         # of PostgreSQL, and of the read service
: "${PG_BIN:=/usr/lib/postgresql/15/bin}"                 # EL: /usr/pgsql-15/bin
: "${PG_DATA:=/var/lib/postgresql/15/main}"               # EL: /var/lib/pgsql/15/data
: "${PG_CONFIG_DIR:=/etc/postgresql/15/main}"             # EL: the same as PG_DATA
: "${PG_SOCKETS:=/var/run/postgresql}"                    # unix_socket_directories

# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin

# PostgreSQL on all nodes, one of them promoted.  How a standby connects is PostgreSQL's own business
# here: primary_conninfo on each node has host=WRITE_VIP, application_name=<the node's name> and the
# passfile; see README.md.
pcs -f "$CIB" resource create pgsql ocf:heartbeat:pgsqlms \
    bindir="$PG_BIN" pgdata="$PG_CONFIG_DIR" datadir="$PG_DATA" \
    pghost="$PG_SOCKETS" pgport="$PORT" \
    op start timeout=60s op stop timeout=60s op promote timeout=30s op demote timeout=120s \
    op notify timeout=60s \
    op monitor interval=15s timeout=10s role=Promoted \
    op monitor interval=16s timeout=10s role=Unpromoted
pcs -f "$CIB" resource promotable pgsql meta notify=true

write_address
real_servers

# The pool: the unpromoted instances on nodes that have the read address on lo.  A standby that becomes the primary gets nothing new from then on
# and keeps its sessions for drain_timeout.  When no standby is left, the primary serves, by way of the
# address that follows it (on_empty=empty).
pcs -f "$CIB" resource create lvsdr ocf:lvsdr:lvsdr vip="$READ_VIP" port="$PORT" \
    virtual_service_options="-s rr" \
    realserver_dependent_resource=pgsql-clone,lvsdr-realsvr-clone \
    realserver_dependent_role=Unpromoted \
    on_empty=empty fallback_realservers="$WRITE_VIP" \
    op start timeout=60s op stop timeout=20s op monitor interval=5s timeout=30s \
    meta critical=false
director

push
