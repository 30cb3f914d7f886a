"""The resource that owns a service on a node."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.agents.lvsdr import AGENT, owners
from lvsdr.agents.lvsdr.saved_pool import SavedPool, render_saved_pool
from lvsdr.ipvs.table import ServiceKey
from lvsdr.ocf.context import Context
from lvsdr.ocf.log import Log

KEY = ServiceKey("tcp", "203.0.113.20", 5432)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return of("lvs", tmp_path)


def of(instance: str, directory: Path) -> Context:
    """Return the context of a run of the agent for this resource."""
    environ = {"OCF_RESOURCE_INSTANCE": instance, "HA_RSCTMP": str(directory)}
    log = Log("test", {"HA_LOGFILE": str(directory / "log")})
    return Context("lvsdr", "start", AGENT.parameters, environ, log)


def owns(context: Context, key: ServiceKey) -> None:
    context.save("state", render_saved_pool(SavedPool(service=key)))


def test_a_service_without_an_owner_is_adopted(context: Context) -> None:
    assert owners.find_other_owner(context, KEY) is None
    owns(context, KEY)
    assert owners.find_other_owner(context, KEY) is None


@pytest.mark.parametrize("other", ["other", "a.b-c", "../odd"])
def test_a_service_of_another_resource(context: Context, other: str, tmp_path: Path) -> None:
    owns(of(other, tmp_path), KEY)
    found = owners.find_other_owner(context, KEY)
    assert found is not None
    assert context.build_path("state", instance=found) == of(other, tmp_path).build_path("state")
    assert owners.find_other_owner(context, KEY._replace(port=80)) is None


def test_a_resource_owns_the_service_that_it_started(context: Context, tmp_path: Path) -> None:
    owns(of("other", tmp_path), KEY)
    owns(context, KEY)
    assert owners.find_other_owner(context, KEY) is None


@pytest.mark.parametrize("instance", ["lvs:0", "lvs:1"])
def test_instances_of_a_clone_are_one_resource(
    instance: str, context: Context, tmp_path: Path
) -> None:
    owns(of(instance, tmp_path), KEY)
    assert owners.find_other_owner(context, KEY) is None


def test_files_of_other_agents_and_boots_are_ignored(context: Context, tmp_path: Path) -> None:
    (tmp_path / "lvsdr-rs.state").write_text("realsvr of boot 1\n203.0.113.20\n0.0\n0.0\n")
    (tmp_path / "lvsdr-old.state").write_text("boot 0\nservice tcp 203.0.113.20 5432\n")
    assert owners.find_other_owner(context, KEY) is None


def test_a_service_that_is_gone_is_no_longer_owned(context: Context, tmp_path: Path) -> None:
    other = of("other", tmp_path)
    owns(other, KEY)
    with owners.own_service(context, KEY, SavedPool()):
        assert owners.find_other_owner(other, KEY) == "lvs"
        assert not Path(other.build_path("state")).exists()
    assert "taken over from resource other" in (tmp_path / "log").read_text()
