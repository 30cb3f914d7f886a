"""Steps by system: the core cases for `make test`, all steps of `make other-systems`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.debian import root
from tests.support.paths import ROOT
from tests.systems.comparison import within

RESULTS = ROOT / "build/systems"

# About a minute: the life of a service, pools that follow a resource and an attribute, an address
# that moves, and a real server's.
CORE = (
    "tests/lab/test_lifecycle.py::test_start_twice_and_stop_twice",
    "tests/lab/test_lifecycle.py::test_options_change_in_place",
    "tests/lab/test_sources_cluster.py",
    "tests/lab/test_vip_moves.py::test_the_other_director_takes_over",
    "tests/lab/test_realsvr.py::test_a_whole_life",
)

# Debian 11 has no schema of agents' metadata. Its crm_mon shows two states that have their own
# recordings in test_crm_mon_versions.py. Its pyroute2 (0.5.14) knows no alternative names.
NOT_IN_BULLSEYE = tuple(
    f"--deselect=tests/unit/{test}"
    for test in (
        "ocf/test_metadata.py::test_some_schema_is_installed",
        "ocf/test_metadata.py::test_is_valid",
        "pacemaker/test_crm_mon.py::test_states[clone-in-maintenance-node-left-fencing]",
        "pacemaker/test_crm_mon.py::test_states[clone-left-out-by-crm_mon]",
        "system/net/test_interface_reader.py::test_both_readers_agree",
        "pool/test_left_alone.py::test_a_resource_in_maintenance[clone-left-out-by-crm_mon",
    )
)

# CIBs of a newer schema than a system knows are rewritten in its copy of the tree.
ADAPTED = ("sh", "-euc", 'python3 -B -m tests.systems.recording --adapt; exec "$@"', "sh")
PYTEST = (".venv/bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider")

# The bring-up, and PAF's failover after a kill of the primary's postgres.
FAILOVER = (
    "tests/cluster/test_bringup.py",
    "tests/cluster/test_drills.py::test_the_primarys_database_is_killed",
)

# Installed and removed by make, with checks of a node's view in between.
INSTALL = """
make -s install
/usr/lib/ocf/resource.d/lvsdr/lvsdr meta-data | grep -q '<resource-agent name="lvsdr"'
crm_resource --list-agents=ocf:lvsdr
for tool in check_active_slave get_active_slaves vip-manager; do "$tool" --version; done
make -s uninstall
test ! -e /usr/lib/ocf/resource.d/lvsdr
"""


# The newest release. Debian 12 has 0.7.2, the oldest that vip-manager supports.
PYROUTE2 = "0.9.7"

# The tests of the daemon, with the pyroute2 that takes the place of this machine's.
DAEMON = f"""
{" ".join(PYTEST)} tests/unit/system/net tests/unit/vipmanager
tests/leader/run tests/leader/test_manager.py tests/leader/test_manager_link.py \\
    tests/leader/test_manager_patroni.py tests/leader/test_manager_reload.py
"""


class Step(NamedTuple):
    """A command, started in the tree, and its variables in addition to our environment."""

    name: str
    suite: str
    """The system that it tests; empty for this machine's."""
    command: tuple[str, ...]
    environ: Mapping[str, str] = {}

    @property
    def title(self) -> str:
        """Return the prefix of the lines of output.

        It is also the name of the directory of the results.
        """
        return f"{self.suite or 'here'}-{self.name}"


def place(suite: str) -> dict[str, str]:
    """Return the variable that makes the lab run in this system."""
    return {"LAB_ROOT": str(root.make(root.SYSTEMS[suite]))} if suite else {}


def lab(name: str, suite: str, *tests: str, script: str = "lab") -> Step:
    """Return the step of these tests in the lab, or of all."""
    results = RESULTS / f"{suite or 'here'}-{name}"
    environ = {**place(suite), "LAB_RESULTS": str(results)}
    return Step(name, suite, (f"tests/{script}/run", *tests), environ)


def unit(suite: str, *options: str) -> Step:
    """Return the step of the unit tests in this system."""
    return Step("unit", suite, (*within(suite), *ADAPTED, *PYTEST, "tests/unit", *options))


def core(suite: str, *options: str) -> Step:
    """Return the step of the agents' core cases on the lab's kernel."""
    results = RESULTS / f"{suite or 'here'}-core"
    report = f"--junitxml={results / 'junit.xml'}"
    command = ("tests/lab/boot", "--", *ADAPTED, *PYTEST, report, *CORE, *options)
    return Step("core", suite, command, {**place(suite), "LAB_RESULTS": str(results)})


def newest_pyroute2() -> Step:
    """Return the step of the daemon's tests with the newest pyroute2."""
    command = ("tests/systems/with_pyroute2", PYROUTE2, "sh", "-euc", DAEMON)
    return Step("pyroute2", "", command)


def comparison(suite: str) -> Step:
    """Return the step that records crm_mon anew."""
    command = (".venv/bin/python", "-B", "-m", "tests.systems.comparison")
    return Step("crm_mon", suite, (*command, *([suite] if suite else [])))


def steps() -> list[Step]:
    """Return the steps of `make other-systems`. The roots are made if they are not there."""
    examples = (*within("trixie"), *PYTEST, "tests/examples")
    return [
        *(comparison(suite) for suite in ("", "trixie", "bullseye")),
        unit("bullseye", *NOT_IN_BULLSEYE),
        core("bullseye"),
        unit("trixie"),
        Step("install", "trixie", (*within("trixie"), "sh", "-euxc", INSTALL)),
        Step("demo", "trixie", (*within("trixie"), "make", "-s", "demo")),
        Step("examples", "trixie", examples),
        lab("lab", "trixie"),
        lab("cluster", "trixie", *FAILOVER, script="cluster"),
        core(""),
        newest_pyroute2(),
    ]


def python_path() -> str:
    """Return the path on which modules of the tests and of the library are found."""
    return f"{ROOT}:{Path(ROOT) / 'lib'}"
