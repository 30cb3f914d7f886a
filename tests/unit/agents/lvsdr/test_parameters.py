"""The parameters of the agent lvsdr: names, defaults and messages about wrong values."""

from __future__ import annotations

import pytest
from lvsdr.agents.lvsdr import AGENT
from lvsdr.agents.lvsdr import parameters as p
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS, SERVICE
from lvsdr.errors import InvalidParameters
from lvsdr.ocf.parameters import Values

DOCUMENTED = {
    # name: default, or None if there is none
    "vip": None,
    "port": None,
    "protocol": "tcp",
    "virtual_service_options": "-s rr",
    "forwarding_method": "gate",
    "default_weight": "1",
    "weight_of_realservers": None,
    "realserver_dependent_resource": None,
    "realserver_dependent_role": "any",
    "realserver_dependent_attribute_name": None,
    "realserver_dependent_attribute_value": "1",
    "realserver_get_real_servers_script": None,
    "realserver_check_active_real_server_script": None,
    "realserver_check_active_slave_script": None,
    "realserver_address_attribute": None,
    "script_timeout": "10s",
    "drain_timeout": "300s",
    "on_empty": "keep",
    "fallback_realservers": None,
    "fallback_below": "1",
    "realserver_weight_attribute": "lvsdr-weight",
    "idle_timeout": None,
    "heartbeat_file": None,
    "heatbeat_file": None,
    "watch": "true",
    "realserver_check": "none",
    "realserver_check_interval": "1s",
    "realserver_check_timeout": "1s",
    "realserver_check_fall": "3",
    "realserver_check_rise": "2",
    "realserver_check_conninfo": None,
    "realserver_max_lag": None,
}


def parsed(**settings: str) -> Values:
    """Return the values of these settings, added to a legal minimum."""
    given = {"vip": "10.9.0.20", "port": "5432", **settings}
    return PARAMETERS.parse({f"OCF_RESKEY_{name}": value for name, value in given.items()})


def problems(**settings: str) -> list[str]:
    """Return the problems of these settings; fail if there is none."""
    with pytest.raises(InvalidParameters) as caught:
        parsed(**settings)
    return list(caught.value.problems)


def test_names_and_defaults() -> None:
    assert {parameter.name: parameter.default for parameter in PARAMETERS} == DOCUMENTED


def test_the_framework_adds_its_own() -> None:
    names = [parameter.name for parameter in AGENT.all_parameters]
    assert names == [*DOCUMENTED, "trace_ra", "trace_file"]


def test_the_identity_of_the_service_is_unique_and_needs_a_restart() -> None:
    groups = {parameter.name: parameter.unique_group for parameter in PARAMETERS}
    assert {name for name, group in groups.items() if group} == {"vip", "port", "protocol"}
    assert len({group for group in groups.values() if group}) == 1
    assert {parameter.name for parameter in PARAMETERS if not parameter.reloadable} == {
        "vip",
        "port",
        "protocol",
    }
    assert [parameter.name for parameter in SERVICE] == ["vip", "port", "protocol"]


def test_deprecated_names() -> None:
    old = {q.name: q.replaced_by.name for q in PARAMETERS if q.replaced_by is not None}
    assert old == {
        "realserver_check_active_slave_script": "realserver_check_active_real_server_script",
        "heatbeat_file": "heartbeat_file",
    }


def test_a_deprecated_name_works() -> None:
    values = parsed(realserver_check_active_slave_script="/opt/check -h", heatbeat_file="/run/beat")
    assert values[p.CHECK_SCRIPT] == ("/opt/check", "-h")
    assert values[p.HEARTBEAT_FILE] == "/run/beat"


def test_old_and_new_name_must_agree() -> None:
    parsed(heartbeat_file="/run/beat", heatbeat_file="/run/beat")
    assert problems(heartbeat_file="/run/beat", heatbeat_file="/run/b") == [
        "heatbeat_file=/run/b: is the old name of heartbeat_file, which is set to /run/beat; "
        "set only heartbeat_file"
    ]


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) - {"vip", "port"}))
@pytest.mark.parametrize("value", ["", " ", "none"])
def test_none_means_not_set(name: str, value: str) -> None:
    by_default, values = parsed(), parsed(**{name: value})
    for parameter in PARAMETERS:
        assert values[parameter] == by_default[parameter]


def test_scripts_are_split_as_a_shell_would_quote() -> None:
    values = parsed(
        realserver_get_real_servers_script=r'/opt/list /bin/psql "host=10.9.0.2 user=\"x y\"" a\ b',
    )
    assert values[p.LIST_SCRIPT] == ("/opt/list", "/bin/psql", 'host=10.9.0.2 user="x y"', "a b")


RESOURCES = "must be the ids of resources, separated by commas: pgsql-clone,lvsdr-realsvr-clone"
HOSTS = "must be hosts with optional weights (0 to 65535): node1,3 node2 10.0.0.4,1"
OPTIONS = "must be options of a virtual service as in ipvsadm(8)"
WRONG = [
    ("vip", "10.9.0.300", "must be a unicast IPv4 or IPv6 address, without prefix or zone"),
    ("vip", "vip.example.com", "must be a unicast IPv4 or IPv6 address, without prefix or zone"),
    ("vip", "10.9.0.20/24", "must be a unicast IPv4 or IPv6 address, without prefix or zone"),
    ("port", "0", "must be a whole number from 1 to 65535"),
    ("port", "99999", "must be a whole number from 1 to 65535"),
    ("port", "http", "must be a whole number from 1 to 65535"),
    ("port", "-1", "must be a whole number from 1 to 65535"),
    ("protocol", "sctp", "must be tcp or udp"),
    ("protocol", "TCP", "must be tcp or udp"),
    ("forwarding_method", "dr", "must be gate or ipip or masq: write gate"),
    ("forwarding_method", "NAT", "must be gate or ipip or masq: write masq"),
    ("forwarding_method", "tun", "must be gate or ipip or masq: write ipip"),
    ("forwarding_method", "sh", "must be gate or ipip or masq"),
    ("default_weight", "-1", "must be a whole number from 0 to 65535"),
    ("default_weight", "65536", "must be a whole number from 0 to 65535"),
    ("default_weight", "heavy", "must be a whole number from 0 to 65535"),
    (
        "weight_of_realservers",
        "node1,x",
        f"{HOSTS}: the weight in 'node1,x' is not from 0 to 65535; hosts are separated by blanks",
    ),
    (
        "weight_of_realservers",
        "node1,1,2",
        f"{HOSTS}: the weight in 'node1,1,2' is not from 0 to 65535",
    ),
    ("weight_of_realservers", "node1 node1,2", f"{HOSTS}: node1 is listed twice"),
    (
        "fallback_realservers",
        "node1,-1",
        f"{HOSTS}: the weight in 'node1,-1' is not from 0 to 65535",
    ),
    (
        "fallback_realservers",
        "node 1/24",
        f"{HOSTS}: '1/24' in '1/24' is neither a host name nor an address",
    ),
    (
        "fallback_realservers",
        "::ffff:a09:15",
        f"{HOSTS}: '::ffff:a09:15' in '::ffff:a09:15' is neither a host name nor an address",
    ),
    ("realserver_dependent_resource", "db,", f"{RESOURCES}: an entry is empty"),
    ("realserver_dependent_resource", ",", f"{RESOURCES}: an entry is empty"),
    ("realserver_dependent_resource", "db,,ip", f"{RESOURCES}: an entry is empty"),
    ("realserver_dependent_resource", "db,ip,db", f"{RESOURCES}: db is listed twice"),
    ("realserver_dependent_resource", "db, ip", f"{RESOURCES}: ' ip' contains white space"),
    ("realserver_dependent_resource", "db ip", f"{RESOURCES}: 'db ip' contains white space"),
    ("realserver_dependent_role", "primary", "must be any or Promoted or Unpromoted"),
    ("realserver_dependent_role", "promoted", "must be any or Promoted or Unpromoted"),
    (
        "realserver_dependent_attribute_value",
        "HS:(sync",
        "must be a regular expression: missing ), unterminated subpattern at position 3",
    ),
    (
        "realserver_dependent_attribute_value",
        "*",
        "must be a regular expression: nothing to repeat at position 0",
    ),
    (
        "vip",
        "::ffff:10.9.0.20",
        "must be a unicast IPv4 or IPv6 address, without prefix or zone: "
        "an IPv4 address in the form of IPv6",
    ),
    ("script_timeout", "-5", "must be a duration longer than 0, such as 10, 10s, 500ms or 1min"),
    ("script_timeout", "0", "must be a duration longer than 0, such as 10, 10s, 500ms or 1min"),
    ("drain_timeout", "-5s", "must be a duration such as 10, 10s, 500ms, 5min or 1h, or never"),
    ("drain_timeout", "Never", "must be a duration such as 10, 10s, 500ms, 5min or 1h, or never"),
    ("drain_timeout", "3 days", "must be a duration such as 10, 10s, 500ms, 5min or 1h, or never"),
    ("on_empty", "drop", "must be keep or empty"),
    ("heartbeat_file", "beat", "must be an absolute path"),
    ("heatbeat_file", "run/beat", "must be an absolute path"),
]


@pytest.mark.parametrize(("name", "value", "legal"), WRONG, ids=lambda value: str(value)[:24])
def test_a_wrong_value_is_one_sentence_with_the_legal_values(
    name: str, value: str, legal: str
) -> None:
    assert problems(**{name: value}) == [f"{name}={value}: {legal}"]


@pytest.mark.parametrize(
    "options", ["-C", "-s rr -t 10.9.0.21:80", "-A -t 10.9.0.21:80 -s rr", "-s nosuch", "-M 24"]
)
def test_options_are_refused_with_the_legal_ones(options: str) -> None:
    (problem,) = problems(virtual_service_options=options)
    assert problem.startswith(f"virtual_service_options={options}: {OPTIONS}: ")


@pytest.mark.parametrize(
    "name",
    [
        "realserver_get_real_servers_script",
        "realserver_check_active_real_server_script",
        "realserver_check_active_slave_script",
    ],
)
@pytest.mark.parametrize("value", ["/opt/check 'password=secret", "''", '"" -h'])
def test_a_command_line_is_refused_without_being_shown(name: str, value: str) -> None:
    """A command line that cannot be parsed is not shown, because it may hold a password."""
    (problem,) = problems(**{name: value})
    assert problem.startswith(
        f"{name}=(not shown): must be a program and its arguments, quoted as for a shell: "
    )
    assert "secret" not in problem


@pytest.mark.parametrize("name", ["vip", "port"])
@pytest.mark.parametrize("value", ["", "none"])
def test_required_parameters(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})
    assert problem.startswith(f"{name} is required: must be ")


def test_all_problems_together_in_order() -> None:
    found = problems(
        vip="x", port="0", protocol="sctp", default_weight="x", on_empty="x", drain_timeout="x"
    )
    assert [problem.partition("=")[0] for problem in found] == [
        "vip",
        "port",
        "protocol",
        "default_weight",
        "drain_timeout",
        "on_empty",
    ]


RULES = [
    (
        {"realserver_dependent_role": "Promoted"},
        "realserver_dependent_role=Promoted: needs realserver_dependent_resource, "
        "which says of which resource; or leave it at any",
    ),
    (
        {"weight_of_realservers": "node1 fd77::11,3"},
        "weight_of_realservers=fd77::11: must be IPv4, as vip 10.9.0.20 is",
    ),
    (
        {"vip": "fd77::20", "fallback_realservers": "10.77.0.14"},
        "fallback_realservers=10.77.0.14: must be IPv6, as vip fd77::20 is",
    ),
    (
        {"virtual_service_options": "-s rr -p -M 64"},
        "virtual_service_options=-M 64: must be a mask such as 255.255.255.0, as vip 10.9.0.20 is",
    ),
    (
        {"vip": "fd77::20", "virtual_service_options": "-s rr -p -M 255.255.255.0"},
        "virtual_service_options=-M 255.255.255.0: must be a prefix length, as vip fd77::20 is",
    ),
    (
        {"virtual_service_options": "-s rr -O"},
        "virtual_service_options=--ops: is legal with protocol=udp only",
    ),
    *(
        (
            {name: "node1 10.9.0.20,3"},
            f"{name}=10.9.0.20: must be another address than vip, which it is",
        )
        for name in ("weight_of_realservers", "fallback_realservers")
    ),
    *(
        (
            {"weight_of_realservers": f"node1 {address}"},
            f"weight_of_realservers={address}: must be an address that other hosts can send to",
        )
        for address in ("127.0.1.1", "0.0.0.0", "224.0.0.5", "255.255.255.255")
    ),
    *(
        (
            {"vip": "fd77::20", "fallback_realservers": address},
            f"fallback_realservers={address}: must be an address that other hosts can send to",
        )
        for address in ("::1", "ff02::1", "fe80::1")
    ),
]


@pytest.mark.parametrize(("settings", "problem"), RULES)
def test_parameters_that_contradict_each_other_are_refused(
    settings: dict[str, str], problem: str
) -> None:
    assert problems(**settings) == [problem]


@pytest.mark.parametrize(
    "settings",
    [
        {"realserver_dependent_role": "Promoted", "realserver_dependent_resource": "pgsql-clone"},
        {"vip": "fd77::20", "weight_of_realservers": "node1 fd77::11,3"},
        {"virtual_service_options": "-s rr -O", "protocol": "udp"},
        {"virtual_service_options": "-s rr -p 60 -M 255.255.255.0"},
        {"vip": "fd77::20", "virtual_service_options": "-s rr -p 60 -M 64"},
        {"drain_timeout": "never"},
        {"drain_timeout": "0"},
        {"default_weight": "0", "weight_of_realservers": "node1,1 node2,1 192.168.0.234,1"},
    ],
)
def test_parameters_that_fit_together_are_accepted(settings: dict[str, str]) -> None:
    parsed(**settings)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("idle_timeout", text) for text in ("0", "0s", "1500ms", "-1", "577h", "2d", "soon")),
        *(("fallback_below", text) for text in ("0", "-1", "1.5", "10001", "two")),
        *(("realserver_weight_attribute", text) for text in ("#weight", "standby-weight")),
    ],
)
def test_a_value_out_of_range_is_refused_with_the_legal_ones(name: str, text: str) -> None:
    legal = {
        "idle_timeout": "a duration of whole seconds from 1s to 576h, such as 7200, 30min or 2h",
        "fallback_below": "a whole number from 1 to 10000",
        "realserver_weight_attribute": "the name of a node attribute: crm_mon shows no attribute",
    }
    (problem,) = problems(**{name: text})
    assert problem.startswith(f"{name}={text}: must be {legal[name]}")
