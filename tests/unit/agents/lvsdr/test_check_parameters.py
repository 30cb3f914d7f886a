"""The parameters of the health checks: values, defaults, and messages about wrong ones."""

from __future__ import annotations

import pytest
from lvsdr.agents.lvsdr import check_parameters as c
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.errors import InvalidParameters
from lvsdr.ocf.parameters import Values
from lvsdr.pool.check_history import Counting
from lvsdr.postgres.lag import Limits
from lvsdr.system.checks.running_checks import CheckSettings


def parsed(**settings: str) -> Values:
    """Return the values of these settings, added to a legal minimum."""
    given = {"vip": "10.9.0.20", "port": "5432", **settings}
    return PARAMETERS.parse({f"OCF_RESKEY_{name}": value for name, value in given.items()})


def test_names_and_defaults() -> None:
    assert {parameter.name: parameter.default for parameter in c.CHECK_PARAMETERS} == {
        "realserver_check": "none",
        "realserver_check_interval": "1s",
        "realserver_check_timeout": "1s",
        "realserver_check_fall": "3",
        "realserver_check_rise": "2",
        "realserver_check_conninfo": None,
        "realserver_max_lag": None,
    }


def test_all_of_them_are_reloadable_and_the_login_is_discreet() -> None:
    assert all(parameter.reloadable for parameter in c.CHECK_PARAMETERS)
    assert [parameter.name for parameter in c.CHECK_PARAMETERS if parameter.discreet] == [
        "realserver_check_conninfo"
    ]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"realserver_check": "http"}, "realserver_check=http: must be none or tcp or postgres"),
        (
            {"realserver_check_interval": "50ms"},
            "realserver_check_interval=50ms: must be a duration from 100ms to 1h, "
            "such as 1s or 500ms",
        ),
        (
            {"realserver_check_interval": "often"},
            "realserver_check_interval=often: must be a duration from 100ms to 1h, "
            "such as 1s or 500ms",
        ),
        (
            {"realserver_check_timeout": "2min"},
            "realserver_check_timeout=2min: must be a duration from 100ms to 60s, "
            "such as 1s or 500ms",
        ),
        (
            {"realserver_check_fall": "0"},
            "realserver_check_fall=0: must be a whole number from 1 to 100",
        ),
        (
            {"realserver_check_rise": "two"},
            "realserver_check_rise=two: must be a whole number from 1 to 100",
        ),
        (
            {"realserver_check": "postgres", "realserver_check_conninfo": "host=geheim"},
            "realserver_check_conninfo=(not shown): must be libpq settings without a server, such "
            "as user=monitor dbname=postgres passfile=/etc/pass: leave out host: each real server "
            "has its own",
        ),
        (
            {"realserver_check": "tcp", "realserver_max_lag": "64MB"},
            "realserver_max_lag: needs realserver_check=postgres, which is tcp",
        ),
        (
            {"realserver_check_conninfo": "user=monitor"},
            "realserver_check_conninfo: needs realserver_check=postgres, which is none",
        ),
        (
            {"realserver_check": "tcp", "protocol": "udp"},
            "realserver_check=tcp: is legal with protocol=tcp only",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_the_legal_ones(
    settings: dict[str, str], problem: str
) -> None:
    with pytest.raises(InvalidParameters) as caught:
        parsed(**settings)
    assert list(caught.value.problems) == [problem]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("64MB", Limits(bytes=64 * 1024 * 1024)),
        ("1 GB", Limits(bytes=1024**3)),
        ("512kB", Limits(bytes=512 * 1024)),
        ("100B", Limits(bytes=100)),
        ("10s", Limits(seconds=10.0)),
        ("500ms", Limits(seconds=0.5)),
        ("2min", Limits(seconds=120.0)),
        ("1h", Limits(seconds=3600.0)),
    ],
)
def test_the_unit_of_a_lag_decides(text: str, limits: Limits) -> None:
    assert parsed(realserver_check="postgres", realserver_max_lag=text)[c.MAX_LAG] == limits


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("64", ": the unit is missing"),
        ("64M", ": 'M' is no unit of either"),
        ("10m", ": 'm' is no unit of either"),
        ("64mb", ": 'mb' is no unit of either"),
        ("0s", ""),
        ("-5s", ""),
        ("1.5s", ": '.5s' is no unit of either"),
        ("MB", ""),
    ],
)
def test_a_lag_without_a_clear_unit_is_refused(text: str, flaw: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        parsed(realserver_check="postgres", realserver_max_lag=text)
    assert list(caught.value.problems) == [
        f"realserver_max_lag={text}: must be an amount of WAL such as 64MB, or a duration such as "
        f"10s, above 0{flaw}"
    ]


def test_settings_without_a_check_are_named() -> None:
    unused = {
        "realserver_check_interval": "2s",
        "realserver_check_timeout": "2s",
        "realserver_check_fall": "2",
        "realserver_check_rise": "1",
    }
    assert list(c.find_unused_check_settings(parsed(**unused))) == [
        f"{name} is not used: no check is set" for name in unused
    ]
    script = {"realserver_check_active_real_server_script": "/bin/check"}
    assert list(c.find_unused_check_settings(parsed(**unused, **script))) == [
        "realserver_check_interval is not used: no check is set",
        "realserver_check_timeout is not used: no check is set",
    ]
    assert list(c.find_unused_check_settings(parsed(realserver_check="tcp", **unused))) == []


def test_a_password_in_clear_is_named() -> None:
    values = parsed(realserver_check="postgres", realserver_check_conninfo="user=a password=geheim")
    (warning,) = c.find_unused_check_settings(values)
    assert warning == (
        "realserver_check_conninfo contains a password, which the CIB, its copies and Pacemaker's "
        "log show: name a passfile instead"
    )


def test_settings_for_the_watcher() -> None:
    assert c.read_check_settings(parsed()) is None
    values = parsed(
        realserver_check="postgres",
        realserver_check_timeout="2s",
        realserver_check_conninfo="user=monitor",
        realserver_max_lag="10s",
    )
    settings = c.read_check_settings(values)
    assert settings == CheckSettings(
        "postgres", 5432, 1.0, 2.0, "user=monitor", Limits(seconds=10.0)
    )
    assert settings.max_age == 6.0
    assert c.read_counting(values) == Counting(3, 2, 6.0)
    assert (c.read_check_name(values), c.read_check_name(parsed())) == ("postgres 5432", "")
    assert c.read_check_settings(parsed(realserver_check="tcp")) == CheckSettings(
        "tcp", 5432, 1.0, 1.0
    )
