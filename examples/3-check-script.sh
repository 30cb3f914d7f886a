#!/bin/sh
# Reads over the standbys that answer the director and are in recovery, those outside the cluster
# included.
#
# The director connects to every listed host and asks.  It needs no word of the primary, so it is the
# one that finds a standby which replicates but cannot be connected to; and it works with any agent
# that runs PostgreSQL, or none.
#
# Run it once, as root, on one node of a running cluster.
set -eu

# --- to be edited, or set in the environment ---
: "${NODES:=node1 node2 node3}"                           # as `pcs status` names them
: "${INTERFACE:=eth0}"                                    # of the addresses below, on all nodes
: "${PREFIX:=24}"                                         # of their network
: "${WRITE_VIP:=192.168.0.236}"                           # for writes: on the primary's node
: "${READ_VIP:=192.168.0.237}"                            # for reads: on the director's node
: "${PORT:=5432}"                                         # of PostgreSQL, and of the read service
: "${PG_BIN:=/usr/lib/postgresql/15/bin}"                 # EL: /usr/pgsql-15/bin
: "${PG_DATA:=/var/lib/postgresql/15/main}"               # EL: /var/lib/pgsql/15/data
: "${PG_CONFIG:=/etc/postgresql/15/main/postgresql.conf}" # EL: in PG_DATA
: "${PG_SOCKETS:=/var/run/postgresql}"                    # unix_socket_directories
: "${PG_TMP:=/var/lib/postgresql/pacemaker}"              # the agent makes it.  EL: /var/lib/pgsql/pacemaker
: "${REP_MODE:=sync}"                                     # sync or async
: "${REPLICATION_USER:=replication}"
: "${PASSFILE:=/var/lib/postgresql/.pgpass}"              # see README.md.  EL: /var/lib/pgsql/.pgpass
: "${OUTSIDE=192.168.0.234}"                              # standbys outside the cluster: addresses
: "${MONITOR_USER:=lvsdr}"                                # may connect to database postgres
: "${TOOLS:=/usr/bin}"                                    # where check_active_slave is

# Seconds that a standby has to answer; all are asked at the same time.  A monitor of the director may
# take that long, and NOTICE is its interval and twice that, rounded up.
: "${ANSWER:=3}"
: "${NOTICE:=12}"

# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin

replicated_database
write_address
real_servers

# The pool: every listed host of which the script says t.  It says f of the primary, which gets nothing
# new, and fails for a host that does not answer, which is deleted at once.  When nobody is left, the
# primary serves, by way of the address that follows it (on_empty=empty).
standby="port=$PORT dbname=postgres user=$MONITOR_USER passfile=$PASSFILE"
pcs -f "$CIB" resource create lvsdr ocf:lvsdr:lvsdr vip="$READ_VIP" port="$PORT" \
    virtual_service_options="-s rr" \
    weight_of_realservers="$NODES $OUTSIDE" \
    realserver_check_active_real_server_script="$TOOLS/check_active_slave --timeout $ANSWER '$standby' -h" \
    on_empty=empty fallback_realservers="$WRITE_VIP" \
    op start timeout=60s op stop timeout=20s op monitor interval=5s timeout=30s \
    meta critical=false
director

push
