"""The script that lists the real servers: its legal output, and all that is illegal."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pool.model import Script
from lvsdr.pool.sources.script import MOST_HOSTS, list_candidates, parse_hosts
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC, program, shell, told

LABEL = Script(("/opt/list", "secret"), 1.0)


def ask(script: Script, seconds: float = 20.0) -> list[str]:
    """Return the candidates that the script names, one line each."""
    spec = SPEC._replace(list_script=script)
    return told(list_candidates(state("steady"), spec, Deadline.after(seconds)))


def refusal(script: Script, seconds: float = 20.0) -> str:
    """Return the reason for which the script counts as unavailable."""
    with pytest.raises(SourceUnavailable) as caught:
        ask(script, seconds)
    return str(caught.value)


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (b"", []),
        (b" \n\t\r\n", []),
        (b"node1", ["node1"]),
        (b"node1 node2\n", ["node1", "node2"]),
        (b"node2\nnode1\n", ["node2", "node1"]),
        (b"\tnode1\r\n\n  node2\v\fnode3 \r", ["node1", "node2", "node3"]),
        (b"node1 node2 node1 node1", ["node1", "node2"]),
        (b"192.168.0.234 node4.example.com", ["192.168.0.234", "node4.example.com"]),
        (b"FD77:0::0011 fd77::11", ["fd77::11"]),
        (b"Node_1 node-2 3node", ["Node_1", "node-2", "3node"]),
    ],
)
def test_a_list_of_hosts(output: bytes, names: list[str]) -> None:
    assert parse_hosts(LABEL, output) == names


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (b"-C", "'-C'"),
        (b"node1 -A node2", "'-A'"),
        (b"--help", "'--help'"),
        (b"node1,3", "'node1,3'"),
        (b"node1:5432", "'node1:5432'"),
        (b"10.9.0.300", "'10.9.0.300'"),
        (b"10.9.0.021", "'10.9.0.021'"),
        (b"::ffff:10.9.0.3", "'::ffff:10.9.0.3'"),
        (b"10.9.0.0/24", "'10.9.0.0/24'"),
        (b"[fd77::1]", "'[fd77::1]'"),
        (b"node1;reboot", "'node1;reboot'"),
        (b"$(reboot)", "'$(reboot)'"),
        (b"node\x00one", r"'node\x00one'"),
        (b"n\xc3\xb6de1", r"'n\xf6de1'"),
        (b"\xff\xfe\x00\x01" * 50, r"'\ufffd\ufffd\x00\x01"),
        (b"a" * 256, "'" + "a" * 60 + "'"),
        (b"psql: error: connection refused", "'psql:'"),
        (b"(0 rows)", "'(0'"),
    ],
)
def test_malformed_lists_are_refused(output: bytes, shown: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        parse_hosts(LABEL, output)
    assert str(caught.value).startswith(f"list printed {shown}")
    assert str(caught.value).endswith(", which is not a host")
    assert len(str(caught.value)) < 400


def test_too_many_hosts_are_refused() -> None:
    names = " ".join(f"node{number}" for number in range(MOST_HOSTS + 1)).encode()
    with pytest.raises(
        SourceUnavailable, match=rf"^list printed {MOST_HOSTS + 1} names, more than {MOST_HOSTS}$"
    ):
        parse_hosts(LABEL, names)


def test_as_many_hosts_as_are_allowed() -> None:
    names = [f"node{number}" for number in range(MOST_HOSTS)]
    assert parse_hosts(LABEL, "\n".join(names * 2).encode()) == names


def test_without_a_script_it_has_no_candidates() -> None:
    assert list_candidates(state("steady"), SPEC, Deadline.after(1.0)) == []


def test_a_script_that_answers(tmp_path: Path) -> None:
    script = program(tmp_path, "print('node1'); print('node9')")
    assert ask(script) == ["node1 in: named by script", "node9 in: named by script"]


def test_arguments_are_passed_as_they_are() -> None:
    script = Script(("/bin/echo", "node1", "$HOME"), 10.0)
    assert refusal(script) == "echo printed '$HOME', which is not a host"


def test_it_gets_no_input_and_a_plain_locale() -> None:
    assert ask(shell("cat; echo $LC_ALL")) == ["C in: named by sh"]


def test_standard_error_is_no_list() -> None:
    assert ask(shell("echo node9 >&2; echo node1")) == ["node1 in: named by sh"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("exit 1", "exit status 1"),
        ("echo node1; exit 3", "exit status 3"),
        ("echo node1; echo no route >&2; echo to host >&2; exit 2", "exit status 2: to host"),
        ("kill -9 $$", "exit status 137"),
    ],
)
def test_an_exit_status_is_a_failure_whatever_was_printed(code: str, reason: str) -> None:
    assert refusal(shell(code)) == f"sh: {reason}"


def test_a_script_that_is_not_there() -> None:
    missing = Script(("/nowhere/list", "--password=secret"), 10.0)
    assert refusal(missing) == ("list: /nowhere/list cannot be executed: No such file or directory")


def test_a_script_that_may_not_be_executed(tmp_path: Path) -> None:
    script = program(tmp_path, "print('node1')")
    os.chmod(script.argv[0], 0o644)
    assert refusal(script).endswith("cannot be executed: Permission denied")


def test_a_script_that_takes_too_long() -> None:
    assert refusal(shell("echo node1; sleep 60", timeout=0.2)) == "sh: timed out after 0.2 s"


def test_the_deadline_goes_before_the_timeout() -> None:
    assert refusal(shell("sleep 60", timeout=30.0), seconds=0.2).startswith("sh: timed out after 0")


def test_its_children_die_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"sh -c 'echo $$ > {pid_file}; exec sleep 60' & wait"
    refusal(shell(code, timeout=0.5))
    pid = int(pid_file.read_text())
    assert gone(pid)


def test_children_that_it_leaves_behind_do_not_delay_its_answer(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"sleep 60 & echo $! > {pid_file}; echo node1"
    assert ask(shell(code)) == ["node1 in: named by sh"]
    assert gone(int(pid_file.read_text()))


def gone(pid: int) -> bool:
    """Wait a moment for the process to end; return False if it does not.

    A zombie counts as ended, because its parent may not have reaped it yet.
    """
    for _ in range(200):
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if status.startswith(("Z", "X")):
            return True
        time.sleep(0.01)
    return False


def test_megabytes_are_not_read_to_their_end(tmp_path: Path) -> None:
    script = program(tmp_path, "while True: print('node1 ' * 10000)")
    assert refusal(script) == f"script: printed more than {1024 * 1024} bytes"


def test_megabytes_of_complaints_are_not_read_either(tmp_path: Path) -> None:
    script = program(tmp_path, "import sys\nwhile True: sys.stderr.write('no ' * 10000)")
    assert refusal(script) == f"script: printed more than {1024 * 1024} bytes"
