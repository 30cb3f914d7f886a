#!/bin/sh
# Reads over the standbys that ocf:heartbeat:pgsql says are replicating.
#
# The agent publishes the state of each instance as the node attribute pgsql-status, and the director
# takes the nodes on which that matches.  No connection to PostgreSQL, no password: the simplest and
# the quickest of the configurations, for standbys in the cluster.
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

# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin

replicated_database
write_address
real_servers

# The pool: nodes that have the read address on lo and whose pgsql-status says that they replicate.
# While the primary is dead every standby is HS:alone; the default on_empty=keep lets them go on
# serving.  When all of them are gone, the primary serves, by way of the address that follows it.
pcs -f "$CIB" resource create lvsdr ocf:lvsdr:lvsdr vip="$READ_VIP" port="$PORT" \
    virtual_service_options="-s rr" \
    realserver_dependent_resource=lvsdr-realsvr-clone \
    realserver_dependent_attribute_name=pgsql-status \
    realserver_dependent_attribute_value="HS:sync|HS:potential|HS:async" \
    fallback_realservers="$WRITE_VIP" \
    op start timeout=60s op stop timeout=20s op monitor interval=5s timeout=30s \
    meta critical=false
director

push
