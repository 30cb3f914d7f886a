# What the configurations have in common; they source this file, it does nothing by itself.
#
# Every command works on a file.  The cluster gets all of it at once at the end, or, if pcs refuses
# a line, nothing.  A file that is to be kept is named by CIB.
#
# Fencing is taken for granted, so stonith-enabled is left as it is: a primary of which nobody knows
# whether it still writes can neither be replaced nor ignored.

: "${VIP_AGENT:=ocf:lvsdr:vip}" # ocf:heartbeat:IPaddr2 will do, too: see README.md

# Seconds.  The director needs that long at most to notice that a node is leaving: the interval of its
# monitor, and twice what a monitor takes.
: "${NOTICE:=7}"
# The sessions of a leaving node may go on for that long afterwards.
: "${DRAIN:=60}"

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Checks what can be checked here; then the configuration as it is, in a file that goes afterwards
# unless CIB names it.
fetch() {
    [ "$(id -u)" = 0 ] || die "must be run as root, not as $(id -un)"
    ip link show dev "$INTERFACE" >/dev/null 2>&1 ||
        die "INTERFACE=$INTERFACE: legal is what all nodes have; this one has" \
            "$(ls -I lo -m -w 0 /sys/class/net)"
    if [ -z "${CIB:-}" ]; then
        own=$(mktemp -d)
        trap 'rm -rf "$own"' EXIT
        trap 'exit 1' HUP INT TERM
        CIB=$own/cib.xml
    fi
    said=$(pcs cluster cib "$CIB" 2>&1) ||
        die "must be run on a node of a running cluster (pcs cluster start --all): $said"
    cp "$CIB" "$CIB.before"
}

begin() {
    fetch
    # A node that has lost the others must stop, because they go on without it.
    pcs -f "$CIB" property set no-quorum-policy=stop
    # What runs stays where it is.  PAF's promotion scores differ by 10 from standby to standby.
    pcs -f "$CIB" resource defaults update resource-stickiness=10 migration-threshold=5
}

# PostgreSQL on all nodes, one of them promoted, by ocf:heartbeat:pgsql.  Each standby connects to the
# write address under the name of its node.
replicated_database() {
    pcs -f "$CIB" resource create pgsql ocf:heartbeat:pgsql \
        pgctl="$PG_BIN/pg_ctl" psql="$PG_BIN/psql" pgdata="$PG_DATA" config="$PG_CONFIG" \
        pgport="$PORT" socketdir="$PG_SOCKETS" tmpdir="$PG_TMP" \
        rep_mode="$REP_MODE" node_list="$NODES" master_ip="$WRITE_VIP" repuser="$REPLICATION_USER" \
        primary_conninfo_opt="passfile=$PASSFILE keepalives_idle=60 keepalives_interval=5 keepalives_count=5" \
        restart_on_promote=false \
        op start timeout=120s op stop timeout=120s op promote timeout=120s \
        op demote timeout=120s on-fail=stop op notify timeout=60s \
        op monitor interval=4s timeout=30s \
        op monitor interval=3s timeout=30s role=Promoted
    pcs -f "$CIB" resource promotable pgsql meta notify=true
}

# The address for writes is where the primary is.  It comes after the promotion and goes after the
# demotion: while the old primary shuts down, the standbys fetch its last changes from there.
write_address() {
    pcs -f "$CIB" resource create write-vip "$VIP_AGENT" \
        ip="$WRITE_VIP" nic="$INTERFACE" cidr_netmask="$PREFIX" \
        op start timeout=20s op stop timeout=20s op monitor interval=10s timeout=20s
    pcs -f "$CIB" constraint colocation add write-vip with Promoted pgsql-clone score=INFINITY
    pcs -f "$CIB" constraint order promote pgsql-clone then start write-vip symmetrical=false
    pcs -f "$CIB" constraint order demote pgsql-clone then stop write-vip \
        kind=Optional symmetrical=false
}

# The address for reads on lo of every node with a database, in whatever role: a standby that is
# promoted keeps the address while its read sessions finish, and the primary needs it as the
# fallback.  Who gets new connections is the director's decision alone.
real_servers() {
    # On a node that goes on standby, stop first gives the director NOTICE seconds to send nothing
    # more, and then the sessions up to DRAIN seconds to end.  If it fails, an address that nobody
    # announces stays behind: no reason to fence a node with a database.
    pcs -f "$CIB" resource create lvsdr-realsvr ocf:lvsdr:lvsdr-realsvr \
        vip="$READ_VIP" drain_delay="${NOTICE}s" drain_timeout="${DRAIN}s" \
        op start timeout=20s op stop timeout=$((NOTICE + DRAIN + 20))s on-fail=block \
        op monitor interval=10s timeout=20s
    pcs -f "$CIB" resource clone lvsdr-realsvr meta interleave=true
    pcs -f "$CIB" constraint colocation add lvsdr-realsvr-clone with pgsql-clone score=INFINITY

    # On the way up: the address, then PostgreSQL, or the director would send clients to a standby that
    # does not listen to them yet.  On the way down, as in `pcs node standby`: the address when the
    # sessions have ended, then PostgreSQL.  Optional, because nothing of that matters to a database
    # that has failed: it is recovered at once, with the address in place.  For the same reason a
    # demotion waits for nobody.
    for action in start stop; do
        pcs -f "$CIB" constraint order $action lvsdr-realsvr-clone then $action pgsql-clone \
            kind=Optional symmetrical=false
    done
}

# The virtual service (created by then as the resource lvsdr) and the address in front of it, on any
# one node, whether or not a standby is left.  A group: the service starts before the address and
# stops after it, so that the address never answers without a pool.
director() {
    pcs -f "$CIB" resource create read-vip "$VIP_AGENT" \
        ip="$READ_VIP" nic="$INTERFACE" cidr_netmask="$PREFIX" \
        op start timeout=20s op stop timeout=20s op monitor interval=10s timeout=20s
    pcs -f "$CIB" resource group add director lvsdr read-vip
    # A node on which it could not start may be tried again.
    pcs -f "$CIB" resource meta director failure-timeout=60s

    # When a whole cluster starts: databases first, so that the pool is complete at once.
    pcs -f "$CIB" constraint order pgsql-clone then lvsdr kind=Optional symmetrical=false
    # When the director's own node goes on standby: it stays until that node's sessions have ended,
    # because the connections of all real servers end when it moves.
    pcs -f "$CIB" constraint order stop lvsdr-realsvr-clone then stop director \
        kind=Optional symmetrical=false
    # Better not on the primary's node, so that the reads go on when that dies.  lvsdr has
    # critical=false, or this wish would count when a standby is chosen to be promoted.
    pcs -f "$CIB" constraint colocation add lvsdr with Promoted pgsql-clone score=-5
}

push() {
    pcs cluster cib-push "$CIB" diff-against="$CIB.before"
}
