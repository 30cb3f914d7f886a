"""The cases of the fake kernel, run against the real kernel with the real ipvsadm."""

from __future__ import annotations

import pytest

from tests.cases.kernel_cases import CASES, Case, check
from tests.lab.host import Host
from tests.lab.world import World


class RealKernel:
    """The IPVS table of one host of the lab, read and changed with its ipvsadm."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def restore(self, text: str) -> list[str]:
        return self._host.run(["ipvsadm", "-R"], stdin=text, check=False).stderr.splitlines()

    def saved(self) -> str:
        return self._host.ipvs_text()

    def proc(self) -> str:
        return self._host.proc_ipvs()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_real_one_does_so(case: Case, standing_world: World) -> None:
    host = standing_world.director1
    host.run(["ipvsadm", "-C"])
    check(RealKernel(host), case)
