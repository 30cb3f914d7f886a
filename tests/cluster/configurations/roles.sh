#!/bin/sh
# PostgreSQL under PAF, and reads over its standbys: as little as that takes, for tests of the cluster
# itself. Needs WRITE_VIP and READ_VIP in the environment.
set -eu
cib=$(mktemp)
pcs cluster cib $cib
cp $cib $cib.before
pcs -f $cib resource defaults update resource-stickiness=10
pcs -f $cib resource create pgsql ocf:heartbeat:pgsqlms \
    bindir=/usr/lib/postgresql/15/bin pgdata=/var/lib/postgresql/15/main \
    pghost=/var/run/postgresql \
    op start timeout=120s op stop timeout=120s op promote timeout=120s op demote timeout=120s \
    op notify timeout=120s \
    op monitor interval=10s timeout=60s role=Promoted \
    op monitor interval=15s timeout=60s role=Unpromoted
pcs -f $cib resource promotable pgsql notify=true
pcs -f $cib resource create write-vip ocf:lvsdr:vip ip=$WRITE_VIP cidr_netmask=24 \
    op start timeout=60s op stop timeout=60s op monitor interval=30s timeout=60s
pcs -f $cib constraint colocation add write-vip with Promoted pgsql-clone
pcs -f $cib constraint order promote pgsql-clone then start write-vip symmetrical=false
pcs -f $cib constraint order demote pgsql-clone then stop write-vip kind=Optional symmetrical=false
pcs -f $cib resource create lvsdr-realsvr ocf:lvsdr:lvsdr-realsvr vip=$READ_VIP \
    op start timeout=60s op stop timeout=60s op monitor interval=30s timeout=60s
pcs -f $cib resource clone lvsdr-realsvr interleave=true
pcs -f $cib resource create lvsdr ocf:lvsdr:lvsdr vip=$READ_VIP port=5432 \
    realserver_dependent_resource=pgsql-clone realserver_dependent_role=Unpromoted \
    op start timeout=120s op stop timeout=60s op monitor interval=5s timeout=60s
pcs -f $cib resource create read-vip ocf:lvsdr:vip ip=$READ_VIP cidr_netmask=24 \
    op start timeout=60s op stop timeout=60s op monitor interval=30s timeout=60s
pcs -f $cib resource group add director lvsdr read-vip
pcs -f $cib constraint colocation add director with Promoted pgsql-clone score=-5
pcs cluster cib-push $cib diff-against=$cib.before
