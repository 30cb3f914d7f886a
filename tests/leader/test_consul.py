"""The cases of Consul's stand-in, run against the real servers."""

from __future__ import annotations

import pytest

from tests.cases.consul_cases import CASES
from tests.leader.consul import Consul


@pytest.mark.parametrize("name", CASES)
def test_the_real_one_does_so(name: str, real_consul: Consul) -> None:
    with real_consul.host.entered():
        CASES[name](real_consul)
