"""Effects of the examples on a host, in a network and a mount namespace that end with the test."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES

VIP = "192.168.0.237"

# Stand-in for systemd: runs the ExecStart of a unit that is started at once.
SYSTEMCTL = """\
#!/bin/sh
case "$*" in
daemon-reload) ;;
"enable --now "*) sed -n 's/^ExecStart=//p' "/etc/systemd/system/$3" | sh -ex ;;
*) exit 1 ;;
esac
"""

# A host with one network, and functions that call agents as Pacemaker would.
HOST = f"""\
set -eu
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/sysctl.d
mount -t tmpfs tmpfs /etc/systemd/system
mount -t sysfs sysfs /sys
ip link set lo up
ip link add eth0 type veth peer name wire
ip address add 192.168.0.11/24 dev eth0
ip link set wire up
ip link set eth0 up
mkdir /run/resource-agents
export OCF_ROOT=/usr/lib/ocf HA_RSCTMP=/run/resource-agents OCF_RESKEY_CRM_meta_timeout=20000

realsvr() {{
    export OCF_RESOURCE_INSTANCE=lvsdr-realsvr OCF_RESKEY_vip={VIP}
    "$agents/lvsdr/lvsdr-realsvr" "$1" 2>/dev/null && echo "realsvr $1: 0" || echo "realsvr $1: $?"
}}
address() {{
    export OCF_RESOURCE_INSTANCE=read-vip OCF_RESOURCE_TYPE=IPaddr2 __OCF_ACTION="$1"
    export OCF_RESKEY_ip={VIP} OCF_RESKEY_nic=eth0 OCF_RESKEY_cidr_netmask=24
    heartbeat=/usr/lib/ocf/resource.d/heartbeat
    "$heartbeat/IPaddr2" "$1" >/dev/null 2>&1 && echo "IPaddr2 $1: 0" || echo "IPaddr2 $1: $?"
}}
"""


@pytest.fixture
def host(inside: list[str], tmp_path: Path) -> Path:
    """Return a directory that precedes the system's programs on the host."""
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(SYSTEMCTL)
    systemctl.chmod(0o755)
    (tmp_path / "agents").symlink_to(inside[-1])
    return tmp_path


def said(host: Path, commands: str, **environ: str) -> list[str]:
    """Return the output of commands on a new host."""
    path = f"{host}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(
        ["unshare", "--map-root-user", "--net", "--mount", "sh", "-c", HOST + commands],
        env={**os.environ, "PATH": path, "agents": str(host / "agents"), "LC_ALL": "C", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_standby_outside_gets_the_settings_of_the_agent(host: Path) -> None:
    """The script sets all that the agent would set, and makes it permanent."""
    commands = f"""
        realsvr monitor
        '{EXAMPLES}/outside-standby.sh' >&2
        realsvr monitor
        realsvr start
        OCF_RESKEY_CRM_meta_interval=10000 realsvr monitor
        ip -oneline address show dev lo | grep -o '{VIP}/32 scope host'
        sysctl -a 2>/dev/null | grep -cxF "$(cat /etc/sysctl.d/90-lvsdr.conf)"
    """
    assert said(host, commands) == [
        "realsvr monitor: 7",
        "realsvr monitor: 0",
        "realsvr start: 0",
        "realsvr monitor: 0",
        f"{VIP}/32 scope host",
        "4",
    ]


def test_it_prints_the_settings_for_postgresql(host: Path) -> None:
    chosen = {"ADDRESS": "192.0.2.4", "WRITE_VIP": "192.0.2.1", "REPLICATION_USER": "someone"}
    text = "\n".join(said(host, f"'{EXAMPLES}/outside-standby.sh'", **chosen))
    assert "host=192.0.2.1 port=5432 user=someone" in text
    assert "application_name=192.0.2.4'" in text
    assert "password" not in text


@pytest.mark.parametrize(
    ("lvs_support", "on_lo"), [("false", 0), ("true", 7)], ids=["as it is used", "as it must not"]
)
def test_ipaddr2_beside_a_real_server(lvs_support: str, on_lo: int, host: Path) -> None:
    """IPaddr2 with lvs_support removes the address that lvsdr-realsvr has put on lo."""
    commands = """
        realsvr start
        address monitor
        address start
        address monitor
        realsvr monitor
        address stop
        realsvr monitor
    """
    assert said(host, commands, OCF_RESKEY_lvs_support=lvs_support) == [
        "realsvr start: 0",
        "IPaddr2 monitor: 7",
        "IPaddr2 start: 0",
        "IPaddr2 monitor: 0",
        f"realsvr monitor: {on_lo}",
        "IPaddr2 stop: 0",
        "realsvr monitor: 0",
    ]
