#!/bin/sh
# Configures the cluster of test_drills_remote.py: four real servers, one of them on a remote node.
#
# `pgsql` is a plain PostgreSQL without replication, under the name that the lines shared by the
# examples use.
set -eu

: "${INTERFACE:=eth0}" "${PREFIX:=24}" "${READ_VIP:=10.77.0.100}" "${PORT:=5432}"
: "${PG_BIN:=/usr/lib/postgresql/15/bin}" "${PG_CONFIG_DIR:=/var/lib/postgresql/15/main}"
: "${REMOTE:=node4}" "${OUTSIDE:=10.77.0.24}"

# shellcheck source=../../examples/common.sh
. "$(dirname "$0")/../../examples/common.sh"

begin

# A refresh records that a probe found the connection active. Pacemaker takes the record for a
# failure, which is to be cleared after reconnect_interval, and decides that in its next transition
# only: an idle cluster has none, and crm_resource --wait would wait for it.
pcs -f "$CIB" property set cluster-recheck-interval=10s

# pcs wants `pcs cluster node add-remote`, which needs pcsd on all nodes, unless it is forced.
pcs -f "$CIB" resource create "$REMOTE" ocf:pacemaker:remote \
    server="$OUTSIDE" reconnect_interval=15s \
    op start timeout=20s op stop timeout=20s op monitor interval=5s timeout=10s --force

pcs -f "$CIB" resource create pgsql ocf:heartbeat:anything \
    binfile="$PG_BIN/postgres" cmdline_options="-D $PG_CONFIG_DIR" user=postgres \
    op start timeout=60s op stop timeout=60s op monitor interval=30s timeout=30s
pcs -f "$CIB" resource clone pgsql interleave=true

real_servers

# A monitor each second: the connection is out of sight for a second only.
pcs -f "$CIB" resource create lvsdr ocf:lvsdr:lvsdr vip="$READ_VIP" port="$PORT" \
    virtual_service_options="-s rr" realserver_dependent_resource=pgsql-clone \
    op start timeout=60s op stop timeout=20s op monitor interval=1s timeout=30s
pcs -f "$CIB" resource create read-vip "$VIP_AGENT" \
    ip="$READ_VIP" nic="$INTERFACE" cidr_netmask="$PREFIX" \
    op start timeout=20s op stop timeout=20s op monitor interval=10s timeout=20s
pcs -f "$CIB" resource group add director lvsdr read-vip
pcs -f "$CIB" constraint location director avoids "$REMOTE"
pcs -f "$CIB" constraint order pgsql-clone then lvsdr kind=Optional symmetrical=false
# A loss of the connection's member must not end the sessions through the director.
pcs -f "$CIB" constraint colocation add "$REMOTE" with director score=-1000

push
