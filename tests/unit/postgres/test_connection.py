"""The servers that a target names, and the time that each may take."""

from __future__ import annotations

import pytest
from lvsdr.postgres.connection import (
    build_unreachable_servers,
    choose_connect_timeout,
    find_settings_flaw,
    list_lookup_names,
    list_servers,
)


@pytest.mark.parametrize(
    ("settings", "servers"),
    [
        ({}, []),
        ({"host": "a,b"}, ["a", "b"]),
        ({"hostaddr": "192.0.2.1"}, ["192.0.2.1"]),
        ({"host": "a", "hostaddr": ""}, ["a"]),
        ({"host": "a", "hostaddr": "192.0.2.1"}, ["a"]),
        ({"host": "a,"}, ["a", ""]),
    ],
)
def test_servers(settings: dict[str, str], servers: list[str]) -> None:
    assert list_servers(settings) == servers


@pytest.mark.parametrize(
    ("settings", "servers"),
    [
        ({}, []),
        ({"host": "a,b"}, ["a", "b"]),
        ({"host": "a,192.0.2.1"}, []),
        ({"host": "2001:db8::1"}, []),
        ({"host": "/run/postgresql"}, []),
        ({"host": "@postgresql"}, []),
        ({"host": "a,"}, []),
        ({"host": "a", "hostaddr": ""}, ["a"]),
        ({"host": "a", "hostaddr": "192.0.2.1"}, []),
    ],
)
def test_servers_to_look_up(settings: dict[str, str], servers: list[str]) -> None:
    assert list_lookup_names(settings) == servers


@pytest.mark.parametrize(
    ("settings", "servers"),
    [
        ({"host": "a,,b"}, {"host": "/dev/null,/dev/null,/dev/null"}),
        ({"hostaddr": "192.0.2.1"}, {"hostaddr": "nowhere"}),
        ({"host": "a", "hostaddr": ""}, {"host": "/dev/null"}),
        ({"host": "a", "hostaddr": "b,c"}, {"host": "/dev/null", "hostaddr": "nowhere,nowhere"}),
    ],
)
def test_an_empty_host_list_is_refused(settings: dict[str, str], servers: dict[str, str]) -> None:
    assert build_unreachable_servers(settings) == servers


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, ""),
        ({"port": ""}, ""),
        ({"port": "1,65535", "keepalives": " 1 ", "connect_timeout": "-1"}, ""),
        ({"port": "65536"}, "port is not a number from 1 to 65535"),
        ({"port": "1,secret"}, "port is not a number from 1 to 65535"),
        ({"hostaddr": "fe80::1%eth0,192.0.2.1,127.1,"}, ""),
        ({"hostaddr": "node1"}, "hostaddr is not an address"),
        ({"connect_timeout": ""}, "connect_timeout is not a number"),
        ({"connect_timeout": "5s"}, "connect_timeout is not a number"),
        ({"keepalives_idle": "\u0663"}, "keepalives_idle is not a number"),
    ],
)
def test_flaws(settings: dict[str, str], says: str) -> None:
    assert find_settings_flaw(settings) == says


@pytest.mark.parametrize(
    ("attempts", "given", "timeout"),
    [
        (0, "", "0"),
        (1, "0", "0"),
        (1, "20", "20"),
        (2, "", "3"),
        (2, "-1", "3"),
        (2, "20", "3"),
        (2, "2", "2"),
        (5, "", "2"),
        (5, "1", "1"),
    ],
)
def test_everybody_has_a_share_of_the_time(attempts: int, given: str, timeout: str) -> None:
    assert choose_connect_timeout(attempts, 7.9, given) == timeout
