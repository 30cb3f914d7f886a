#!/bin/sh
# Makes a standby outside the cluster a real server, for configurations 2 and 3: the read address on lo,
# hidden from ARP, now and after every boot.  It must be on the same network segment.
#
# Run it as root on that host.  To undo it: systemctl disable --now lvsdr-vip, delete both files.
set -eu

# --- to be edited, or set in the environment ---
: "${READ_VIP:=192.168.0.237}"
: "${WRITE_VIP:=192.168.0.236}"
: "${ADDRESS:=192.168.0.234}"                # of this host, as the director has it
: "${PORT:=5432}"
: "${REPLICATION_USER:=replication}"
: "${PASSFILE:=/var/lib/postgresql/.pgpass}" # see README.md.  EL: /var/lib/pgsql/.pgpass

# First this, and then the address: a host that answers ARP for it takes it from the director.
cat >/etc/sysctl.d/90-lvsdr.conf <<END
net.ipv4.conf.all.arp_ignore = 1
net.ipv4.conf.lo.arp_ignore = 1
net.ipv4.conf.all.arp_announce = 2
net.ipv4.conf.lo.arp_announce = 2
END
sysctl -q -p /etc/sysctl.d/90-lvsdr.conf

# With the scope of this host, so that it is never the source of a connection.
cat >/etc/systemd/system/lvsdr-vip.service <<END
[Unit]
Description=LVS virtual address on lo
After=systemd-sysctl.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip address replace $READ_VIP/32 dev lo scope host
ExecStop=/sbin/ip address del $READ_VIP/32 dev lo

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now lvsdr-vip.service

# PostgreSQL is left to you, because it may have been told more than is known here.  The list script of
# configuration 2 goes by application_name, so that has to be the address; configuration 3 does not mind.
cat <<END
$READ_VIP is on lo.  In PostgreSQL, as a superuser, with whatever else your primary_conninfo has:

  ALTER SYSTEM SET primary_conninfo =
      'host=$WRITE_VIP port=$PORT user=$REPLICATION_USER passfile=$PASSFILE keepalives_idle=60 application_name=$ADDRESS';
  SELECT pg_reload_conf();  -- a restart, before PostgreSQL 13
END
