"""The peers' configurations, with their usual settings or with the pace of lvsdr.

The usual settings are those of the examples that the packages contain, and for HAProxy those of
Patroni's haproxy.cfg. The pace of lvsdr is its default: a check each second, which may take one
second, and three failures in a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Servers = Mapping[str, str]
"""The addresses of the real servers, by name."""


class KeepalivedPace(NamedTuple):
    """The times of a TCP_CHECK in seconds; `retry` counts further attempts after a failure."""

    delay_loop: int
    connect_timeout: int
    retry: int
    delay_before_retry: int


KEEPALIVED_USUAL = KeepalivedPace(6, 3, 3, 3)  # samples/keepalived.conf.sample
KEEPALIVED_QUICK = KeepalivedPace(1, 1, 2, 1)


class HaproxyPace(NamedTuple):
    """The times of a health check."""

    inter: str
    check: str


HAPROXY_USUAL = HaproxyPace("2s", "5s")  # HAProxy's default inter; Patroni's timeout check
HAPROXY_QUICK = HaproxyPace("1s", "1s")


def keepalived(vip: str, port: int, servers: Servers, pace: KeepalivedPace) -> str:
    """Return keepalived.conf."""
    check = "".join(f"            {name} {value}\n" for name, value in pace._asdict().items())
    # delay_loop belongs to the virtual service, and the rest to the check.
    check = "".join(line for line in check.splitlines(True) if "delay_loop" not in line)
    blocks = "".join(
        f"    real_server {address} {port} {{\n"
        f"        weight 1\n        TCP_CHECK {{\n{check}        }}\n    }}\n"
        for address in servers.values()
    )
    return (
        f"virtual_server {vip} {port} {{\n    delay_loop {pace.delay_loop}\n"
        f"    lb_algo rr\n    lb_kind DR\n    protocol TCP\n{blocks}}}\n"
    )


def haproxy(vip: str, port: int, servers: Servers, pace: HaproxyPace) -> str:
    """Return haproxy.cfg: Patroni's, with PostgreSQL's protocol in place of Patroni's REST API."""
    lines = "".join(
        f"    server {name} {address}:{port} check\n" for name, address in servers.items()
    )
    return f"""\
global
    maxconn 1000

defaults
    mode tcp
    retries 2
    timeout client 30m
    timeout connect 4s
    timeout server 30m
    timeout check {pace.check}

listen read
    bind {vip}:{port}
    balance roundrobin
    option redispatch
    option pgsql-check user lvsdr
    default-server inter {pace.inter} fall 3 rise 2 on-marked-down shutdown-sessions
{lines}"""


def ldirectord(vip: str, port: int, servers: Servers, log: str) -> str:
    """Return ldirectord.cf, with the times of the example in the package."""
    lines = "".join(f"    real={address}:{port} gate\n" for address in servers.values())
    return f"""\
checktimeout=3
checkinterval=1
autoreload=no
quiescent=no
supervised=yes
logfile="{log}"

virtual={vip}:{port}
{lines}    scheduler=rr
    protocol=tcp
    checktype=connect
    checkport={port}
"""


def pgbouncer(vip: str, port: int, servers: Servers, users: str) -> str:
    """Return pgbouncer.ini. A list of hosts means that connections go to them in turn."""
    return f"""\
[databases]
* = host={",".join(servers.values())} port={port}

[pgbouncer]
listen_addr = {vip}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = session
ignore_startup_parameters = extra_float_digits
"""


def pgpool(vip: str, port: int, primary: str, servers: Servers, place: str) -> str:
    """Return pgpool.conf: sessions are balanced, and the primary has weight 0."""
    balanced = "".join(_pgpool_servers([primary, *servers.values()], port))
    return f"""\
backend_clustering_mode = 'streaming_replication'
listen_addresses = '{vip}'
port = {port}
pcp_port = 9898
socket_dir = '{place}'
pcp_socket_dir = '{place}'
wd_ipc_socket_dir = '{place}'
pid_file_name = '{place}/pgpool.pid'
logdir = '{place}'
load_balance_mode = on
sr_check_user = 'postgres'
sr_check_database = 'postgres'
pool_passwd = ''
{balanced}"""


def _pgpool_servers(addresses: Sequence[str], port: int) -> list[str]:
    return [
        f"backend_hostname{number} = '{address}'\n"
        f"backend_port{number} = {port}\n"
        f"backend_weight{number} = {1 if number else 0}\n"
        for number, address in enumerate(addresses)
    ]
