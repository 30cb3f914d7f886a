"""The programs of Pacemaker, with a file for a cluster, and other programs in their places."""

from __future__ import annotations

import bz2
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.system import crm
from lvsdr.values.deadline import Deadline

from tests.project.tree import LIB
from tests.unit.crm import cib

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture(autouse=True)
def _steady_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", str(cib("steady")))


@pytest.fixture
def crm_mon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a program that is found before the installed crm_mon."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path / "crm_mon"


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def soon() -> Deadline:
    return Deadline.after(20)


@pytest.mark.parametrize("begun", [True, False])
def test_a_state(begun: bool) -> None:
    if begun:
        crm.start_crm_mon()
    assert set(crm.read_cluster_state(soon()).nodes) == {"node1", "node2", "node3"}


def test_a_started_crm_mon_is_used_once(crm_mon: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    program(crm_mon, f'echo run >>{runs}; exec {shutil.which("crm_mon")} "$@"')
    crm.start_crm_mon()
    for expected in ("run\n", "run\nrun\n"):
        crm.read_cluster_state(soon())
        assert runs.read_text() == expected


def test_a_started_crm_mon_that_is_not_needed_is_ended(crm_mon: Path) -> None:
    program(crm_mon, "sleep 60")
    crm.start_crm_mon()
    start = time.monotonic()
    crm.end_crm_mon()
    crm.end_crm_mon()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("begun", [True, False])
def test_no_crm_mon(begun: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if begun:
        crm.start_crm_mon()
    with pytest.raises(SourceUnavailable) as raised:
        crm.read_cluster_state(soon())
    assert str(raised.value) == ("crm_mon: crm_mon cannot be executed: No such file or directory")


@pytest.mark.parametrize("begun", [True, False])
def test_a_crm_mon_that_hangs(begun: bool, crm_mon: Path) -> None:
    program(crm_mon, "echo '<pacemaker-result>'; sleep 60")
    if begun:
        crm.start_crm_mon()
    with pytest.raises(SourceUnavailable, match=r"^crm_mon: timed out after 0\.\d+ s$"):
        crm.read_cluster_state(Deadline.after(0.2))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("exit 0", "exit status 0"),
        ("echo 'crm_mon: broken' >&2; exit 70", "exit status 70: crm_mon: broken"),
        ("kill -9 $$", "exit status 137"),
        ("yes", "printed more than 67108864 bytes"),
    ],
)
def test_a_crm_mon_that_fails(text: str, problem: str, crm_mon: Path) -> None:
    program(crm_mon, text)
    with pytest.raises(SourceUnavailable) as raised:
        crm.read_cluster_state(soon())
    assert str(raised.value) == f"crm_mon: {problem}"


def test_no_time_left() -> None:
    with pytest.raises(SourceUnavailable) as raised:
        crm.read_cluster_state(Deadline.after(0))
    assert str(raised.value) == "crm_mon: no time left for crm_mon"


def test_an_error_of_its_own_is_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of crm_mon itself is a document, too; only the parser decides its meaning."""
    monkeypatch.setenv("CIB_file", str(tmp_path / "missing.xml"))
    with pytest.raises(SourceUnavailable):
        crm.read_cluster_state(soon())


@pytest.mark.parametrize("ninth", range(1, 9))
def test_a_torn_file_is_no_cluster(
    ninth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """crm_mon may repair the file without an error, and show fewer nodes."""
    text = cib("steady").read_bytes()
    torn = tmp_path / "cib.xml"
    torn.write_bytes(text[: len(text) * ninth // 9])
    monkeypatch.setenv("CIB_file", str(torn))
    with pytest.raises(SourceUnavailable) as raised:
        crm.read_cluster_state(soon())
    # Pacemaker 3.0 repairs no file, and its older versions only some.
    errors = (f"CIB_file {torn}: not a complete XML document (", "crm_mon: ")
    assert str(raised.value).startswith(errors)


def test_a_compressed_file_is_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "cib.xml.bz2"
    packed.write_bytes(bz2.compress(cib("steady").read_bytes()))
    monkeypatch.setenv("CIB_file", str(packed))
    assert set(crm.read_cluster_state(soon()).nodes) == {"node1", "node2", "node3"}


def test_a_cluster_that_is_bigger_than_any(crm_mon: Path, tmp_path: Path) -> None:
    """A document of 40,000 instances, more than any cluster has, is read as a whole."""
    instance = (
        '<resource id="db" resource_agent="ocf:heartbeat:pgsql" role="Started" active="true" '
        'orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" '
        'nodes_running_on="1"><node name="node1" id="1" cached="true"/></resource>\n'
    )
    document = tmp_path / "document"
    document.write_text(
        '<pacemaker-result><nodes><node name="node1" online="true"/></nodes><resources>'
        f'<clone id="db-clone">{instance * 40_000}</clone></resources>'
        '<status code="0" message="OK"/></pacemaker-result>'
    )
    program(crm_mon, f"exec cat {document}")
    assert len(crm.read_cluster_state(soon()).resources["db"]) == 40_000


def test_the_configuration() -> None:
    assert crm.read_configuration(soon()).startswith(b"<configuration>")


def test_a_configuration_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIB_file", "/nowhere/cib.xml")
    with pytest.raises(SourceUnavailable, match=r"^cibadmin: exit status "):
        crm.read_configuration(soon())


def test_the_state_of_a_cluster_if_there_is_one() -> None:
    state = crm.read_cluster_state_if_any(soon())
    assert state is not None
    assert set(state.nodes) == {"node1", "node2", "node3"}


def test_no_pacemaker_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert crm.read_cluster_state_if_any(soon()) is None


def test_no_pacemaker_running(crm_mon: Path) -> None:
    program(crm_mon, "echo '<pacemaker-result/>'; exit 102")
    assert crm.read_cluster_state_if_any(soon()) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo no >&2; exit 4", "crm_mon: exit status 4: no"),
        ("exit 0", "crm_mon: exit status 0"),
        ("exec sleep 60", "crm_mon: timed out after 0."),
    ],
)
def test_a_failure_does_not_mean_that_there_is_no_cluster(
    text: str, message: str, crm_mon: Path
) -> None:
    program(crm_mon, text)
    deadline = Deadline.after(0.3 if "sleep" in text else 20)
    with pytest.raises(SourceUnavailable) as caught:
        crm.read_cluster_state_if_any(deadline)
    assert str(caught.value).startswith(message)


def run_python(*lines: str) -> str:
    """Return the output of a script that runs like an agent: without the module site."""
    script = [
        f"import sys; sys.path.insert(0, {str(LIB)!r})",
        "from lvsdr.system import crm",
        "from lvsdr.values.deadline import Deadline",
        *lines,
    ]
    argv = ["/usr/bin/python3", "-IS", "-c", "\n".join(script)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


def test_lxml_is_found_without_site() -> None:
    text = run_python("print(*crm.read_cluster_state(Deadline.after(20)).nodes)")
    assert text == "node1 node2 node3\n"


def test_without_lxml_the_package_is_named_and_no_crm_mon_is_left() -> None:
    text = run_python(
        'sys.modules["lxml"] = None',
        "from lvsdr.errors import NotInstalled",
        "import os",
        "try: crm.read_cluster_state(Deadline.after(20))",
        "except NotInstalled as error: print(error)",
        "try: os.waitpid(-1, os.WNOHANG)",
        "except ChildProcessError: print('no child')",
    )
    assert text == "Python's lxml is not installed (package python3-lxml)\nno child\n"


def test_a_broken_lxml_is_no_missing_package(tmp_path: Path) -> None:
    """Memory or descriptors may be short for a moment, which must not ban the resource."""
    (tmp_path / "lxml").mkdir()
    (tmp_path / "lxml" / "__init__.py").write_text("raise OSError(24, 'Too many open files')\n")
    text = run_python(
        f"sys.path.insert(0, {str(tmp_path)!r})",
        "from lvsdr.errors import SourceUnavailable",
        "try: crm.read_cluster_state(Deadline.after(20))",
        "except SourceUnavailable as error: print(error)",
    )
    assert text == (
        "a Python module cannot be loaded: [Errno 24] Too many open files (package python3-lxml)\n"
    )
