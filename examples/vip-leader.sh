#!/bin/sh
# The address of a PostgreSQL cluster that Patroni runs: on the node that Patroni's key in etcd names.
#
# Patroni decides who is the primary, etcd knows, and Pacemaker moves the address after it.  Pacemaker runs
# on the nodes of the database; of its resources only this one is needed, and fencing.
#
# Pacemaker starts nothing while it has no fence device and stonith-enabled is not set.  Where Patroni
# decides, and nobody writes but to its leader, `pcs property set stonith-enabled=false` is a choice that
# can be made.  Its price: a node that hangs, or on which Pacemaker has died, may keep the address.  While
# it answers for it, the next leader does not take it, and clients reach nobody who writes; when it is
# silent and wakes up later, two have it until it lets go.  And where a stop has failed, the address stays
# until somebody looks.
#
# Run it once, as root, on one node of a running cluster.
set -eu

# --- to be edited, or set in the environment ---
: "${INTERFACE:=eth0}"                  # of the address below, on all nodes
: "${PREFIX:=24}"                       # of its network
: "${VIP:=192.168.0.236}"
: "${DCS_ENDPOINTS:=http://192.168.0.241:2379,http://192.168.0.242:2379,http://192.168.0.243:2379}"
# patroni.yml has to say etcd3, not etcd: the agent asks version 3 of etcd's API, and etcd means version 2.
: "${LEADER_KEY:=/service/mycluster/leader}" # /NAMESPACE/SCOPE/leader of patroni.yml
# Patroni's ttl less its loop_wait has to be longer than this and an interval of the monitor.
: "${GRACE:=10s}"

# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

fetch
# A node that has lost the others must let go, because they go on without it.
pcs -f "$CIB" property set no-quorum-policy=stop

# Every instance asks etcd, the promoted one has the address.  The value of the key is the name of the
# member in patroni.yml; it is to be the node's name, or trigger_value says what it is.  The monitors
# run three times in the grace.  A node that was demoted in the middle of a failover may be tried again.
pcs -f "$CIB" resource create leader-vip ocf:lvsdr:vip \
    ip="$VIP" nic="$INTERFACE" cidr_netmask="$PREFIX" \
    dcs_type=etcd dcs_endpoints="$DCS_ENDPOINTS" trigger_key="$LEADER_KEY" \
    on_dcs_unreachable=release dcs_grace="$GRACE" \
    op start timeout=20s op stop timeout=20s op promote timeout=30s op demote timeout=20s \
    op monitor interval=3s timeout=20s role=Promoted \
    op monitor interval=2s timeout=20s role=Unpromoted \
    meta failure-timeout=60s
pcs -f "$CIB" resource promotable leader-vip

push
