#!/bin/sh
# Reads over the standbys that the primary says are replicating, those outside the cluster included.
#
# The director asks the primary, through the write address, for the names under which standbys have
# connected.  A node connects under its name, a standby outside the cluster must use its address as
# application_name: see outside-standby.sh.
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
: "${MONITOR_USER:=lvsdr}"                                # may read pg_stat_replication, see README.md
: "${TOOLS:=/usr/bin}"                                    # where get_active_slaves is

# Seconds that the primary has to answer.  A monitor of the director may take that long, and
# NOTICE is its interval and twice that, rounded up.
: "${ANSWER:=3}"
: "${NOTICE:=12}"

# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin

replicated_database
write_address
real_servers

# The pool: who replicates, as the primary has it, and is one of ours.  While the primary does not answer,
# all stays as it is.  When it answers that nobody replicates, it serves the reads itself, by way of the
# address that follows it (on_empty=empty).
primary="host=$WRITE_VIP port=$PORT dbname=postgres user=$MONITOR_USER passfile=$PASSFILE"
pcs -f "$CIB" resource create lvsdr ocf:lvsdr:lvsdr vip="$READ_VIP" port="$PORT" \
    virtual_service_options="-s rr" \
    realserver_get_real_servers_script="$TOOLS/get_active_slaves --timeout $ANSWER --nodes '$NODES $OUTSIDE' '$primary'" \
    on_empty=empty fallback_realservers="$WRITE_VIP" \
    op start timeout=60s op stop timeout=20s op monitor interval=5s timeout=30s \
    meta critical=false
director

# Without an answer of the primary the director does not know whom to start with.  So it starts where
# there is one; once it runs, it does without.
pcs -f "$CIB" constraint order write-vip then lvsdr symmetrical=false

push
