"""Results of ``ipvsadm -R`` for a batch: one table for the fake kernel and the real one."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import NamedTuple, Protocol

from lvsdr.ipvs.table import Service, ServiceConfig, ServiceKey
from lvsdr.ipvs.text import parse_proc, parse_saved


class Kernel(Protocol):
    """An empty IPVS table, and ipvsadm."""

    def restore(self, text: str) -> list[str]:
        """Return the lines that ``ipvsadm -R`` prints about ``text``."""

    def saved(self) -> str:
        """Return the output of ``ipvsadm -Sn``."""

    def proc(self) -> str:
        """Return ``/proc/net/ip_vs``."""


class Case(NamedTuple):
    """A batch for an empty table, and its result."""

    name: str
    batch: str
    saved: str
    messages: tuple[str, ...] = ()
    proc: str | None = None
    """Table without heading: services sorted, persistence in seconds; None to skip the comparison.
    """


def check(kernel: Kernel, case: Case) -> None:
    """Run the case on an empty kernel. Assert that both texts also parse to the same table."""
    messages = tuple(kernel.restore(dedent(case.batch)))
    saved, proc = kernel.saved(), kernel.proc()
    assert (messages, saved) == (case.messages, dedent(case.saved))
    if case.proc is not None:
        assert sorted_blocks(proc) == trimmed(dedent(case.proc))
    assert shown(parse_proc(proc)) == shown(parse_saved(saved))


def sorted_blocks(proc: str) -> str:
    """Return the services with their real servers, in an order that no hash function decides."""
    body = proc.split("InActConn\n", 1)[1]
    blocks = re.findall(r"(?m)^\w.*\n(?:  ->.*\n)*", body)
    return trimmed("".join(sorted(blocks)))


def trimmed(text: str) -> str:
    """Return the text without padding and without the kernel's ticks, which differ in length."""
    lines = (
        re.sub(r"persistent \d+ \b", "persistent ", line).rstrip() for line in text.splitlines()
    )
    return "".join(f"{line}\n" for line in lines)


def shown(table: dict[ServiceKey, Service]) -> dict[ServiceKey, Service]:
    """Return the parts of a table that both texts show."""
    return {key: service._replace(config=_shown(key, service)) for key, service in table.items()}


def _shown(key: ServiceKey, service: Service) -> ServiceConfig:
    config = service.config._replace(engine=None, flags=())
    if config.persistence is not None:
        config = config._replace(persistence=0)
    if ":" in key.address:
        config = config._replace(one_packet=False)
    # /proc does not show the family of a service by firewall mark.
    return config._replace(netmask=None) if key.protocol == "fwm" else config


CASES = (
    Case("nothing", "", "", proc=""),
    Case(
        "a service and its real servers",
        """\
        -A -t 10.77.0.100:5432 -s rr
        -a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 0
        -a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1
        -a -t 10.77.0.100:5432 -r 10.77.0.100:5432 -i -w 65535
        """,
        """\
        -A -t 10.77.0.100:5432 -s rr
        -a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1
        -a -t 10.77.0.100:5432 -r 10.77.0.12:5432 -g -w 0
        -a -t 10.77.0.100:5432 -r 10.77.0.100:5432 -i -w 65535 --tun-type ipip
        """,
        proc="""\
        TCP  0A4D0064:1538 rr
          -> 0A4D0064:1538      Tunnel  65535  0          0
          -> 0A4D000B:1538      Route   1      0          0
          -> 0A4D000C:1538      Route   0      0          0
        """,
    ),
    Case(
        "IPv6",
        """\
        -A -t [FD77:0::0100]:5432 -s sh -p 300 -M 64 -b sh-port,sh-fallback
        -a -t [fd77::100]:5432 -r [fd77::11]:5432 -g -w 5
        -A -u [fd77::100]:53 -s rr --ops
        -A -t [fd77::101]:5432 -s rr -p 360 -M 128
        """,
        """\
        -A -t [fd77::100]:5432 -s sh -p 300 -M 64 -b sh-fallback,sh-port
        -a -t [fd77::100]:5432 -r [fd77::11]:5432 -g -w 5
        -A -t [fd77::101]:5432 -s rr -p 360
        -A -u [fd77::100]:53 -s rr -o
        """,
        proc="""\
        TCP  [fd77:0000:0000:0000:0000:0000:0000:0100]:1538 sh persistent 40000000
          -> [fd77:0000:0000:0000:0000:0000:0000:0011]:1538      Route   5      0          0
        TCP  [fd77:0000:0000:0000:0000:0000:0000:0101]:1538 rr persistent 80000000
        UDP  [fd77:0000:0000:0000:0000:0000:0000:0100]:0035 rr
        """,
    ),
    Case(
        "persistence, netmask, flags, engine",
        """\
        -A -t 10.77.0.100:80 -s mh -p 100 -M 255.255.255.0 -b mh-port
        -A -t 10.77.0.100:81 -s rr -p
        -A -u 10.77.0.100:5060 -s rr -p 60 --pe sip --ops
        """,
        """\
        -A -t 10.77.0.100:80 -s mh -p 100 -M 255.255.255.0 -b mh-port
        -A -t 10.77.0.100:81 -s rr -p 360
        -A -u 10.77.0.100:5060 -s rr -p 60 --pe sip -o
        """,
        proc="""\
        TCP  0A4D0064:0050 mh  persistent FFFFFF00
        TCP  0A4D0064:0051 rr  persistent FFFFFFFF
        UDP  0A4D0064:13C4 rr ops  persistent FFFFFFFF
        """,
    ),
    Case(
        "flags by their general names",
        """\
        -A -t 10.77.0.100:80 -s sh -b flag-1
        -A -t 10.77.0.100:81 -s mh -b flag-2,mh-fallback
        -A -t 10.77.0.100:82 -s rr -b flag-3,flag-1
        -A -t 10.77.0.100:83 -s sh -b flag-3
        """,
        """\
        -A -t 10.77.0.100:80 -s sh -b sh-fallback
        -A -t 10.77.0.100:81 -s mh -b mh-fallback,mh-port
        -A -t 10.77.0.100:82 -s rr -b flag-1,flag-3
        -A -t 10.77.0.100:83 -s sh -b\x20
        """,
    ),
    Case(
        "one packet",
        "-A -u 10.77.0.100:53 -s wrr -o\n-A -u 10.77.0.100:54 -s wrr\n",
        "-A -u 10.77.0.100:53 -s wrr -o\n-A -u 10.77.0.100:54 -s wrr\n",
        proc="UDP  0A4D0064:0035 wrr ops\nUDP  0A4D0064:0036 wrr\n",
    ),
    Case(
        "firewall marks",
        """\
        -A -f 7 -s rr
        -a -f 7 -r 10.77.0.11:0 -g -w 1
        -a -f 7 -r 10.77.0.12:80 -g -w 1
        -A -f 8 -6 -s rr -p 60
        -a -f 8 -6 -r [fd77::11]:0 -g -w 1
        """,
        """\
        -A -f 7 -s rr
        -a -f 7 -r 10.77.0.11:0 -g -w 1
        -a -f 7 -r 10.77.0.12:80 -g -w 1
        -A -f 8 -6 -s rr -p 60
        -a -f 8 -6 -r [fd77::11]:0 -g -w 1
        """,
        proc="""\
        FWM  00000007 rr
          -> 0A4D000C:0050      Route   1      0          0
          -> 0A4D000B:0000      Route   1      0          0
        FWM  00000008 rr persistent 80000000
          -> [fd77:0000:0000:0000:0000:0000:0000:0011]:0000      Route   1      0          0
        """,
    ),
    Case(
        "SCTP",
        "-A --sctp-service 10.77.0.100:80 -s rr\n",
        "-A --sctp-service 10.77.0.100:80 -s rr\n",
        proc="SCTP  0A4D0064:0050 rr\n",
    ),
    Case(
        "port 0 with persistence",
        "-A -t 10.77.0.100:0 -s rr -p 10\n-a -t 10.77.0.100:0 -r 10.77.0.11:0 -g -w 1\n",
        "-A -t 10.77.0.100:0 -s rr -p 10\n-a -t 10.77.0.100:0 -r 10.77.0.11:0 -g -w 1\n",
    ),
    Case(
        "defaults of ipvsadm",
        "-A -t 10.77.0.100:80\n-a -t 10.77.0.100:80 -r 10.77.0.11:80\n",
        "-A -t 10.77.0.100:80 -s wlc\n-a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1\n",
    ),
    Case(
        "only masquerading keeps a port of the real server's own",
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:8080 -g -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.12:8080 -i -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.13:8080 -m -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.13:8081 -m -w 2
        """,
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.12:80 -i -w 1 --tun-type ipip
        -a -t 10.77.0.100:80 -r 10.77.0.13:8080 -m -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.13:8081 -m -w 2
        """,
    ),
    Case(
        "edit a service",
        """\
        -A -t 10.77.0.100:80 -s sh -b sh-port
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        -E -t 10.77.0.100:80 -s wrr -p 100 -M 255.255.255.0
        """,
        """\
        -A -t 10.77.0.100:80 -s wrr -p 100 -M 255.255.255.0
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        """,
    ),
    Case(
        "an edit sets omitted options to their defaults",
        """\
        -A -t 10.77.0.100:80 -s sh -p 100 -M 255.255.255.0 -b sh-port
        -E -t 10.77.0.100:80 -s sh
        -A -u 10.77.0.100:53 -s rr --ops
        -E -u 10.77.0.100:53 -s rr
        """,
        "-A -t 10.77.0.100:80 -s sh\n-A -u 10.77.0.100:53 -s rr\n",
    ),
    Case(
        "edit a real server in its place",
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.12:80 -g -w 1
        -e -t 10.77.0.100:80 -r 10.77.0.11:80 -m -w 9
        """,
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -m -w 9
        -a -t 10.77.0.100:80 -r 10.77.0.12:80 -g -w 1
        """,
        proc="""\
        TCP  0A4D0064:0050 rr
          -> 0A4D000C:0050      Route   1      0          0
          -> 0A4D000B:0050      Masq    9      0          0
        """,
    ),
    Case(
        "delete",
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.12:80 -g -w 1
        -d -t 10.77.0.100:80 -r 10.77.0.11:80
        -A -t 10.77.0.100:81 -s rr
        -a -t 10.77.0.100:81 -r 10.77.0.11:81 -g -w 1
        -D -t 10.77.0.100:81
        """,
        "-A -t 10.77.0.100:80 -s rr\n-a -t 10.77.0.100:80 -r 10.77.0.12:80 -g -w 1\n",
    ),
    Case(
        "add a service twice",
        "-A -t 10.77.0.100:80 -s rr\n-A -t 10.77.0.100:80 -s wrr\n",
        "-A -t 10.77.0.100:80 -s rr\n",
        ("Service already exists",),
    ),
    Case("edit a missing service", "-E -t 10.77.0.100:80 -s rr\n", "", ("No such service",)),
    Case("delete a missing service", "-D -t 10.77.0.100:80\n", "", ("No such service",)),
    *(
        Case(
            f"{verb} in a missing service",
            f"{verb} -t 10.77.0.100:80 -r 10.77.0.11:80{more}\n",
            "",
            ("Service not defined",),
        )
        for verb, more in (("-a", " -g -w 1"), ("-e", " -g -w 1"), ("-d", ""))
    ),
    Case(
        "add a real server twice",
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -m -w 2
        """,
        "-A -t 10.77.0.100:80 -s rr\n-a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1\n",
        ("Destination already exists",),
    ),
    *(
        Case(
            f"{verb} of a missing real server",
            f"-A -t 10.77.0.100:80 -s rr\n{verb} -t 10.77.0.100:80 -r 10.77.0.11:80{more}\n",
            "-A -t 10.77.0.100:80 -s rr\n",
            ("No such destination",),
        )
        for verb, more in (("-e", " -g -w 1"), ("-d", ""))
    ),
    Case(
        "a real server is found by its port too",
        """\
        -A -t 10.77.0.100:80 -s rr
        -a -t 10.77.0.100:80 -r 10.77.0.11:8080 -m -w 1
        -e -t 10.77.0.100:80 -r 10.77.0.11:8080 -g -w 5
        -d -t 10.77.0.100:80 -r 10.77.0.11:80
        """,
        "-A -t 10.77.0.100:80 -s rr\n-a -t 10.77.0.100:80 -r 10.77.0.11:8080 -m -w 1\n",
        ("No such destination", "No such destination"),
    ),
    Case(
        "go on after a line that the kernel refuses",
        """\
        -A -t 10.77.0.100:80 -s rr
        -A -t 10.77.0.100:80 -s rr
        -D -t 10.77.0.100:99
        -A -t 10.77.0.100:81 -s nope
        -E -t 10.77.0.100:80 -s nope
        -A -t 10.77.0.100:82 --nope

        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1
        """,
        "-A -t 10.77.0.100:80 -s rr\n-a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 1\n",
        (
            "Service already exists",
            "No such service",
            "Scheduler or persistence engine not found",
            "Scheduler or persistence engine not found",
            "--nope: unknown option",
        ),
    ),
    *(
        Case(
            f"stop at a line that ipvsadm refuses: {line}",
            f"-A -t 10.77.0.100:80 -s rr\n{line}\n-A -t 10.77.0.100:81 -s rr\n",
            "-A -t 10.77.0.100:80 -s rr\n",
            (message,),
        )
        for line, message in (
            (
                "-A -t 10.77.0.100:82 -s rr --ops",
                "One-Packet Scheduling is only for UDP virtual services",
            ),
            ("-A -t 10.77.0.100:82 -s rr -p 0", "invalid timeout value `0' specified"),
            ("-A -t 10.77.0.100:82 -s rr -p 2678401", "invalid timeout value `2678401' specified"),
            ("-A -t 10.77.0.100:82 -s rr -b sh-port", "incompatible scheduler flag `sh-port'"),
            ("-A -t 10.77.0.100:0 -s rr", "Zero port specified for non-persistent service"),
            ("-A -t [fd77::100]:82 -s rr -p 9 -M 129", "illegal ipv6 netmask specified"),
            ("-A -t [fd77::100]:82 -s rr -p 9 -M 255.255.0.0", "illegal ipv6 netmask specified"),
            (
                "-a -t 10.77.0.100:80 -r [fd77::11]:80 -g -w 1",
                "Different address family is allowed only for tunneling servers",
            ),
            (
                "-a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 2147483648",
                "illegal weight specified",
            ),
            ("# a comment", "Try `ipvsadm -h' or 'ipvsadm --help' for more information."),
        )
    ),
    Case(
        "the longest persistence and the greatest weight",
        """\
        -A -t 10.77.0.100:80 -s rr -p 2678400
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 2147483647
        """,
        """\
        -A -t 10.77.0.100:80 -s rr -p 2678400
        -a -t 10.77.0.100:80 -r 10.77.0.11:80 -g -w 2147483647
        """,
        proc="""\
        TCP  0A4D0064:0050 rr  persistent FFFFFFFF
          -> 0A4D000B:0050      Route   2147483647 0          0
        """,
    ),
    Case(
        "services of other owners: odd netmasks, an engine and a netmask without persistence",
        """\
        -A -t 10.77.0.100:80 -s rr -p 10 -M 0.0.0.0
        -A -t 10.77.0.100:81 -s rr -p 10 -M 255.0.255.0
        -A -t 10.77.0.100:82 -s rr -M 255.255.255.0
        -A -u 10.77.0.100:83 -s rr --pe sip
        """,
        """\
        -A -t 10.77.0.100:80 -s rr -p 10 -M 0.0.0.0
        -A -t 10.77.0.100:81 -s rr -p 10 -M 255.0.255.0
        -A -t 10.77.0.100:82 -s rr
        -A -u 10.77.0.100:83 -s rr --pe sip
        """,
        proc="""\
        TCP  0A4D0064:0050 rr  persistent 00000000
        TCP  0A4D0064:0051 rr  persistent FF00FF00
        TCP  0A4D0064:0052 rr
        UDP  0A4D0064:0053 rr
        """,
    ),
    Case(
        "ipvsadm sorts by family, protocol, address and port, marks last",
        """\
        -A -f 3 -s rr
        -A -u 10.77.0.1:99 -s rr
        -A -t [fd77::1]:99 -s rr
        -A -t 10.77.0.1:100 -s rr
        -A -t 10.77.0.1:99 -s rr
        -A -t 9.0.0.1:99 -s rr
        -a -t 9.0.0.1:99 -r 10.77.0.20:1 -m -w 1
        -a -t 9.0.0.1:99 -r 10.77.0.9:2 -m -w 1
        -a -t 9.0.0.1:99 -r 10.77.0.9:1 -m -w 1
        """,
        """\
        -A -t 9.0.0.1:99 -s rr
        -a -t 9.0.0.1:99 -r 10.77.0.9:1 -m -w 1
        -a -t 9.0.0.1:99 -r 10.77.0.9:2 -m -w 1
        -a -t 9.0.0.1:99 -r 10.77.0.20:1 -m -w 1
        -A -t 10.77.0.1:99 -s rr
        -A -t 10.77.0.1:100 -s rr
        -A -u 10.77.0.1:99 -s rr
        -A -t [fd77::1]:99 -s rr
        -A -f 3 -s rr
        """,
    ),
)
