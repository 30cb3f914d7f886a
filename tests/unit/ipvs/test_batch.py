"""Changes as lines for ``ipvsadm -R``."""

from __future__ import annotations

import pytest
from lvsdr.ipvs.batch import render_batch
from lvsdr.ipvs.plan import (
    AddRealServer,
    AddService,
    Change,
    DeleteRealServer,
    DeleteService,
    EditRealServer,
    EditService,
)
from lvsdr.ipvs.table import RealServerConfig, RealServerKey, ServiceConfig, ServiceKey

TCP = ServiceKey("tcp", "10.77.0.100", 5432)
UDP6 = ServiceKey("udp", "fd77::100", 53)
SERVER, SERVER6 = RealServerKey("10.77.0.11", 5432), RealServerKey("fd77::11", 53)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (AddService(TCP, ServiceConfig("rr")), "-A -t 10.77.0.100:5432 -s rr"),
        (
            EditService(
                UDP6, ServiceConfig("sh", 60, "64", "sip", True, ("sh-fallback", "sh-port"))
            ),
            "-E -u [fd77::100]:53 -s sh -p 60 -M 64 --pe sip --ops -b sh-fallback,sh-port",
        ),
        (DeleteService(ServiceKey("fwm", "", 7)), "-D -f 7"),
        (DeleteService(ServiceKey("sctp", "10.0.0.1", 7)), "-D --sctp-service 10.0.0.1:7"),
        (
            AddRealServer(TCP, SERVER, RealServerConfig("gate", 1)),
            "-a -t 10.77.0.100:5432 -r 10.77.0.11:5432 -g -w 1",
        ),
        (
            EditRealServer(UDP6, SERVER6, RealServerConfig("ipip", 0)),
            "-e -u [fd77::100]:53 -r [fd77::11]:53 -i -w 0",
        ),
        (
            EditRealServer(TCP, SERVER, RealServerConfig("masq", 65535)),
            "-e -t 10.77.0.100:5432 -r 10.77.0.11:5432 -m -w 65535",
        ),
        (DeleteRealServer(TCP, SERVER), "-d -t 10.77.0.100:5432 -r 10.77.0.11:5432"),
    ],
)
def test_a_line(change: Change, line: str) -> None:
    assert render_batch([change]) == f"{line}\n"


def test_lines_keep_their_order() -> None:
    changes: list[Change] = [DeleteRealServer(TCP, SERVER), DeleteService(TCP)]
    assert render_batch(changes).splitlines() == [
        render_batch([change]).strip() for change in changes
    ]


def test_no_changes_are_no_lines() -> None:
    assert render_batch([]) == ""
