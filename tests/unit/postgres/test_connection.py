"""Which servers a target names."""

from __future__ import annotations

import pytest
from lvsdr.postgres.connection import hosts, names


@pytest.mark.parametrize(
    ("settings", "environ", "servers"),
    [
        ({}, {}, []),
        ({"host": "a,b"}, {"PGHOST": "c"}, ["a", "b"]),
        ({"hostaddr": "192.0.2.1"}, {"PGHOST": "c"}, ["192.0.2.1"]),
        ({"host": "a", "hostaddr": ""}, {}, ["a"]),
        ({}, {"PGHOST": "c,d"}, ["c", "d"]),
        ({}, {"PGHOSTADDR": "192.0.2.1"}, ["192.0.2.1"]),
        ({"service": "s"}, {"PGHOST": "c"}, []),
        ({}, {"PGSERVICE": "s", "PGHOST": "c"}, []),
        ({"service": "s", "host": "a"}, {}, ["a"]),
    ],
)
def test_servers(settings: dict[str, str], environ: dict[str, str], servers: list[str]) -> None:
    assert hosts(settings, environ) == servers


@pytest.mark.parametrize(
    ("settings", "environ", "servers"),
    [
        ({}, {}, []),
        ({"host": "a,b"}, {}, ["a", "b"]),
        ({}, {"PGHOST": "c"}, ["c"]),
        ({"host": "a,192.0.2.1"}, {}, []),
        ({"host": "2001:db8::1"}, {}, []),
        ({"host": "/run/postgresql"}, {"PGHOST": "c"}, []),
        ({"host": "@postgresql"}, {}, []),
        ({"host": "a,"}, {}, []),
        ({"host": "a", "hostaddr": "192.0.2.1"}, {}, []),
        ({"host": "a"}, {"PGHOSTADDR": "192.0.2.1"}, []),
    ],
)
def test_servers_to_look_up(
    settings: dict[str, str], environ: dict[str, str], servers: list[str]
) -> None:
    assert names(settings, environ) == servers
