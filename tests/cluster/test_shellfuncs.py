"""The nodes' library for shell agents gives the same results as the original."""

from __future__ import annotations

import pytest

from tests.cluster.paths import prepared
from tests.cluster.shellfuncs import PLACE
from tests.support.processes import Running, checked

PAIRS = """
1 1
2.1.5 1.1.8
3.1.0 3.10.0
3.17.4 3.2.0
9.3 12
15 9.4
15 15.0
08 8.1
1.2.3.4.5 1.2.3.4.6
15.9-1 15.9
15beta1 15
.1 1
1. 1
x 1
"""
BOTH = """
. "$0"
while read -r one other; do
    ocf_version_cmp "$one" "$other"; quick=$?
    ocf_version_cmp_original "$one" "$other"; echo "$one $other: $quick $?"
done
ocf_version_cmp "" 1; quick=$?
ocf_version_cmp_original "" 1; echo "nothing: $quick $?"
"""


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_versions_compare_as_ever(shell: str) -> None:
    argv = [shell, "-c", BOTH, str(prepared() / "usr" / PLACE)]
    seen = checked(argv, Running(argv, PAIRS.lstrip()).wait(60.0), check=True).stdout
    results = dict(line.split(": ") for line in seen.splitlines())
    assert {pair: result for pair, result in results.items() if len(set(result.split())) > 1} == {}
    assert {result[0] for result in results.values()} == set("0123")
    assert len(results) == len(PAIRS.strip().splitlines()) + 1
