"""The cluster that all tests share, and what is kept of it when one of them fails."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.lab.network import require_lab


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three nodes that have formed a cluster, without resources."""
    require_lab()
    with Cluster.create() as cluster:
        yield cluster


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect, before anything is tidied up, what all machines say when a test has failed."""
    report = yield
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and isinstance(cluster, Cluster):
        directory = cluster.collect(f"{item.name}-{call.when}")
        report.sections.append(("what the machines say", f"is in {directory}"))
    return report
