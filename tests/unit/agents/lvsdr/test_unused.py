"""Messages about parameters that have no effect."""

from __future__ import annotations

import pytest
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.unused import (
    find_ineffective_parameters,
    find_overlong_timeout,
    find_unmatched_hosts,
    find_unreachable_number,
    find_unused_parameters,
)
from lvsdr.ocf.parameters import Values
from lvsdr.pool.model import DrainPolicy, Located, Outcome, PoolSpec, Verdict

from tests.unit.crm import state
from tests.unit.pools import SPEC, shell

RESOURCE, ROLE = "realserver_dependent_resource", "realserver_dependent_role"
NAME, VALUE = "realserver_dependent_attribute_name", "realserver_dependent_attribute_value"
LIST, CHECK = "realserver_get_real_servers_script", "realserver_check_active_real_server_script"
WEIGHTS, FALLBACK = "weight_of_realservers", "fallback_realservers"


def parsed(**given: str) -> Values:
    texts = {"vip": "10.9.0.20", "port": "5432", **given}
    return PARAMETERS.parse({f"OCF_RESKEY_{name}": text for name, text in texts.items()})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({RESOURCE: "db", ROLE: "Promoted", NAME: "ready", VALUE: "yes"}, []),
        ({LIST: "/bin/list", "script_timeout": "5s", WEIGHTS: "node1"}, []),
        ({LIST: "/bin/list", CHECK: "/bin/check"}, []),
        ({LIST: "/bin/list", RESOURCE: "db"}, [f"{RESOURCE} is not used: {LIST} names the real"]),
        (
            {LIST: "/bin/list", RESOURCE: "db", ROLE: "Promoted"},
            [f"{RESOURCE} is not used: {LIST}", f"{ROLE} is not used: {LIST}"],
        ),
        ({LIST: "/bin/list", NAME: "ready"}, [f"{NAME} is not used: {LIST} decides"]),
        (
            {CHECK: "/bin/check", NAME: "ready", VALUE: "1"},
            [f"{NAME} is not used: {CHECK} decides", f"{VALUE} is not used: {CHECK} decides"],
        ),
        ({"script_timeout": "5s"}, ["script_timeout is not used: no script is set"]),
        ({RESOURCE: "none", LIST: "/bin/list"}, []),
    ],
)
def test_a_parameter_that_another_one_replaces_is_reported(
    given: dict[str, str], expected: list[str]
) -> None:
    found = list(find_unused_parameters(parsed(**given)))
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({NAME: "ready"}, []),
        ({VALUE: "HS:sync"}, [f"{VALUE} has no effect without {NAME}: "]),
        ({VALUE: "HS:sync", CHECK: "/bin/check"}, []),  # `unused` warns of it
        ({FALLBACK: "node1"}, []),
        ({FALLBACK: "node1,0 node2"}, [f"{FALLBACK}: node1 has weight 0, so it never serves"]),
        (
            {FALLBACK: "node1 node2,1", "default_weight": "0"},
            [f"{FALLBACK}: node1 has weight 0, so it never serves"],
        ),
        ({FALLBACK: "node1", "default_weight": "0", WEIGHTS: "node1,1"}, []),
        ({FALLBACK: "node1", "fallback_below": "2"}, []),
        ({"idle_timeout": "2h"}, []),
        ({"idle_timeout": "2h", "protocol": "udp"}, ["idle_timeout has no effect with protocol"]),
        ({"fallback_below": "2"}, [f"fallback_below has no effect without {FALLBACK}: set"]),
    ],
)
def test_a_parameter_without_its_intended_effect_is_reported(
    given: dict[str, str], expected: list[str]
) -> None:
    found = list(find_ineffective_parameters(parsed(**given)))
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected))


@pytest.mark.parametrize(
    ("given", "complains"),
    [
        ({LIST: "/bin/list", "script_timeout": "30s"}, True),
        ({CHECK: "/bin/check", "script_timeout": "20s"}, False),
        ({LIST: "/bin/list"}, False),
        ({"script_timeout": "30s"}, False),
    ],
)
def test_a_script_timeout_beyond_the_operation_is_reported(
    given: dict[str, str], complains: bool
) -> None:
    found = list(find_overlong_timeout(parsed(**given), 22.4))
    assert bool(found) is complains
    assert all(it.startswith("script_timeout=30s is more than the operation's") for it in found)


LISTED = SPEC._replace(weights={"Node1": 1, "nod3": 0, "10.77.0.2": 1, "outside": 1})
SCRIPT = LISTED._replace(list_script=shell("true"))
VAIN = f"{WEIGHTS}: {{}} is neither a cluster node nor a real server"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (LISTED, []),  # the list itself names the candidates
        (SPEC._replace(resources=("pgsql-clone",)), []),
        (
            LISTED._replace(resources=("pgsql-clone",)),
            [
                VAIN.format("nod3"),
                VAIN.format("10.77.0.2") + ": write node2, which has this address",
                VAIN.format("outside"),
            ],
        ),
        (
            SCRIPT,
            [
                VAIN.format("nod3"),
                VAIN.format("10.77.0.2") + ": write node2, which has this address",
                VAIN.format("outside"),
            ],
        ),
    ],
    ids=["list", "resource", "list and resource", "list and script"],
)
def test_listed_hosts_that_match_no_candidate_are_reported(
    spec: PoolSpec, expected: list[str]
) -> None:
    hosts = {"10.77.0.2": "node2"}
    assert list(find_unmatched_hosts(spec, state("steady"), [], hosts)) == expected


def test_a_host_that_a_script_names_is_matched() -> None:
    named = [Located("Outside", "10.77.0.9", 1, Verdict(Outcome.IN, "named"))]
    found = list(find_unmatched_hosts(SCRIPT, state("steady"), named, {}))
    assert found == [VAIN.format("nod3"), VAIN.format("10.77.0.2")]


@pytest.mark.parametrize(
    ("spec", "wanted", "expected"),
    [
        (SPEC._replace(fallback={"node9": 1}), 2, False),
        (SPEC._replace(fallback={"node9": 1}), 3, True),
        (SPEC, 3, False),
        (SPEC._replace(fallback={"node9": 1}, resources=("db",)), 3, True),
        (SPEC._replace(fallback={"node9": 1}, weights={"node1": 1}), 3, True),
        (SPEC._replace(fallback={"node9": 1}, list_script=shell("true")), 3, False),
    ],
)
def test_more_real_servers_than_there_can_be_are_reported(
    spec: PoolSpec, wanted: int, expected: bool
) -> None:
    servers = [Located(f"node{number}", None, 1, Verdict(Outcome.IN, "so")) for number in (1, 2)]
    found = list(find_unreachable_number(spec, DrainPolicy(None, True, wanted), servers))
    sentence = (
        "fallback_below=3: there are at most 2 real servers, so fallback_realservers always serve; "
        "lower it"
    )
    assert found == ([sentence] if expected else [])
