"""Every reachable state of the model, with every promise kept and with each one broken."""

from __future__ import annotations

import pytest
from lvsdr.leader.gate import LeaderPolicy, State, Unreachable

from tests.unit.leader.gate_model import Model, Rules

POLICY = LeaderPolicy(grace=3, settle=2)
ON_LEASE = Rules(POLICY, release=1, lease=3, renewal=2)
WITHOUT_LEASE = Rules(LeaderPolicy(grace=1, settle=3), release=1)
SILENT = Rules(LeaderPolicy(grace=2, settle=3, silence=1), release=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [
        ON_LEASE,
        ON_LEASE._replace(policy=POLICY._replace(grace=0)),
        WITHOUT_LEASE,
        SILENT,
    ],
    ids=["lease", "no grace", "no lease", "silence"],
)
def test_two_nodes_never_have_the_address(rules: Rules) -> None:
    assert Model(rules).overlap() is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [
        ON_LEASE._replace(lease=2),
        ON_LEASE._replace(policy=POLICY._replace(grace=5)),
        ON_LEASE._replace(policy=POLICY._replace(settle=0)),
        ON_LEASE._replace(release=3),
        ON_LEASE._replace(policy=POLICY._replace(unreachable=Unreachable.KEEP)),
        WITHOUT_LEASE._replace(policy=LeaderPolicy(grace=1, settle=1)),
        SILENT._replace(policy=LeaderPolicy(grace=5, settle=3, silence=5)),
    ],
    ids=["short lease", "long grace", "no settling", "slow release", "keep", "no lease", "silence"],
)
def test_a_broken_promise_causes_two_holders(rules: Rules) -> None:
    """Two nodes have the address if a promise is broken.

    Each condition is needed, so the model would notice if the policy broke it.
    """
    assert Model(rules).overlap() is not None


def test_a_leader_gets_the_address_and_keeps_it() -> None:
    """A leader gets the address and keeps it.

    Otherwise a policy that never grants the address would keep the invariant.
    """
    model = Model(ON_LEASE)
    number = 0
    for _ in range(10):
        number = model._next(model.known[number], State.LEADER, False)
    assert model.known[number].address
