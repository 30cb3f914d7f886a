"""Destinations of a line of the log."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from lvsdr.ocf.log import Log

TAG = "agent(rsc)[77]"
DATE = r"[A-Z][a-z]{2} [0-9]{2} [0-9:]{8} "


class Journal:
    """A reader of the system's log."""

    def __init__(self, device: Path) -> None:
        self.device = str(device)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.device)

    def lines(self) -> list[str]:
        """Return what was sent since the last call, without the time."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                line = self._socket.recv(4096, socket.MSG_DONTWAIT).decode()
                found.append(re.sub(r"(?<=>)[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} ", "", line))
        return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal(tmp_path / "log")) as journal:
        yield journal


def say_all(log: Log) -> None:
    """Log one line of each level."""
    log.error("e")
    log.warning("w")
    log.info("i")
    log.debug("d")


def test_to_standard_error_if_nothing_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    say_all(Log(TAG, {}))
    assert re.fullmatch(
        f"{DATE}ERROR: e\n{DATE}WARNING: w\n{DATE}INFO: i\n", capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["HA_LOGFACILITY", "HA_logfacility", "PCMK_logfacility"])
def test_to_syslog(name: str, syslog: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    say_all(Log(TAG, {name: "local3", "HA_debug": "1"}, device=syslog.device))
    assert syslog.lines() == [
        f"<155>{TAG}: ERROR: e",
        f"<156>{TAG}: WARNING: w",
        f"<158>{TAG}: INFO: i",
        f"<159>{TAG}: DEBUG: d",
    ]
    assert capsys.readouterr().err == ""


def test_a_facility_that_does_not_exist_is_daemon(syslog: Journal) -> None:
    Log(TAG, {"HA_LOGFACILITY": "local99"}, device=syslog.device).info("i")
    assert syslog.lines() == [f"<30>{TAG}: INFO: i"]


def test_a_full_log_socket_does_not_block(syslog: Journal) -> None:
    """A stop would time out, and the node be fenced."""
    log = Log(TAG, {"HA_LOGFACILITY": "daemon"}, device=syslog.device)
    for _ in range(2000):  # more than net.unix.max_dgram_qlen
        log.info("i")
    assert 0 < len(syslog.lines()) < 2000


def test_a_missing_log_socket_is_no_error(tmp_path: Path) -> None:
    Log(TAG, {"HA_LOGFACILITY": "daemon"}, device=str(tmp_path / "none")).info("i")


def test_none_is_no_facility(syslog: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    environ = {"HA_LOGFACILITY": "none", "PCMK_logfacility": "daemon"}
    Log(TAG, environ, device=syslog.device).info("i")
    assert syslog.lines() == []
    assert "INFO: i" in capsys.readouterr().err


def test_to_the_logfile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ha.log"
    say_all(Log(TAG, {"HA_LOGFILE": str(path)}))
    tag = re.escape(TAG)
    assert re.fullmatch(
        f"{DATE} {tag}:    ERROR: e\n{DATE} {tag}:    WARNING: w\n{DATE} {tag}:    INFO: i\n",
        path.read_text(),
    )
    assert capsys.readouterr().err == ""


def test_the_format_of_the_date_is_configurable(tmp_path: Path) -> None:
    path = tmp_path / "ha.log"
    Log(TAG, {"HA_LOGFILE": str(path), "HA_DATEFMT": "now"}).info("i")
    assert path.read_text() == f"now {TAG}:    INFO: i\n"


def test_the_debuglog_gets_everything(tmp_path: Path) -> None:
    log, debug = tmp_path / "ha.log", tmp_path / "ha.debug"
    environ = {
        "HA_LOGFILE": str(log), "HA_DEBUGLOG": str(debug), "HA_DATEFMT": "now ", "HA_debug": "1",
    }  # fmt: skip
    say_all(Log(TAG, environ))
    assert debug.read_text().splitlines() == [
        f"{TAG}:\tnow ERROR: e",
        f"{TAG}:\tnow WARNING: w",
        f"{TAG}:\tnow INFO: i",
        f"{TAG}:\tnow DEBUG: d",
    ]
    assert "DEBUG" not in log.read_text()


def test_one_file_for_both_gets_a_line_once(tmp_path: Path) -> None:
    path = str(tmp_path / "ha.log")
    environ = {"HA_LOGFILE": path, "HA_DEBUGLOG": path, "HA_debug": "1"}
    say_all(Log(TAG, environ))
    assert len(Path(path).read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("environ", "written"),
    [({}, False), ({"HA_debug": "0"}, False), ({"HA_debug": ""}, False), ({"HA_debug": "2"}, True)],
)
def test_debug_lines_are_logged_only_if_configured(
    environ: dict[str, str], written: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    Log(TAG, environ).debug("d")
    assert bool(capsys.readouterr().err) == written


@pytest.mark.parametrize("path", ["/nonexistent/ha.log", "/", "/proc/version"])
def test_a_log_that_cannot_be_written_does_no_harm(path: str) -> None:
    log = Log(TAG, {"HA_LOGFILE": path, "HA_DEBUGLOG": path, "HA_debug": "1"})
    say_all(log)
    log.exit_reason("r")


def test_a_closed_standard_error_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    Log(TAG, {}).exit_reason("r")
    monkeypatch.setattr(sys, "stderr", None)
    Log(TAG, {}).exit_reason("r")


def test_a_message_of_several_lines_is_several_records(syslog: Journal) -> None:
    log = Log(TAG, {"HA_LOGFACILITY": "daemon"}, device=syslog.device)
    log.error("one\n  two\x1b[31m\0\n")
    assert syslog.lines() == [f"<27>{TAG}: ERROR: one", rf"<27>{TAG}: ERROR: two\x1b[31m\x00"]


def test_the_exit_reason_is_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    Log(TAG, {}).exit_reason("no\nluck")
    assert capsys.readouterr().err == "ocf-exit-reason:no luck\n"


def test_several_reasons_are_listed_and_joined(capsys: pytest.CaptureFixture[str]) -> None:
    Log(TAG, {}).exit_reason("a=1: wrong", "b=2: wrong")
    assert capsys.readouterr().err.splitlines() == [
        "a=1: wrong",
        "b=2: wrong",
        "ocf-exit-reason:a=1: wrong; b=2: wrong",
    ]


def test_the_prefix_is_pacemakers_to_choose(capsys: pytest.CaptureFixture[str]) -> None:
    Log(TAG, {"OCF_EXIT_REASON_PREFIX": "why>"}).exit_reason("so")
    assert capsys.readouterr().err == "why>so\n"


def test_an_exit_reason_is_logged_too(syslog: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    Log(TAG, {"HA_LOGFACILITY": "daemon"}, device=syslog.device).exit_reason("r1", "r2")
    assert syslog.lines() == [f"<27>{TAG}: ERROR: r1", f"<27>{TAG}: ERROR: r2"]
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_an_exit_reason_that_is_no_news_is_not_logged(
    syslog: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Log(TAG, {"HA_LOGFACILITY": "daemon"}, device=syslog.device)
    log.exit_reason("as before", logged=False)
    assert syslog.lines() == []
    assert capsys.readouterr().err == "ocf-exit-reason:as before\n"


def test_a_trace_gets_every_level(syslog: Journal) -> None:
    trace = StringIO()
    log = Log(TAG, {"HA_LOGFACILITY": "daemon"}, trace, device=syslog.device)
    say_all(log)
    log.exit_reason("r")
    assert re.sub("[0-9:]{8} ", "", trace.getvalue()).splitlines() == [
        "ERROR: e", "WARNING: w", "INFO: i", "DEBUG: d", "ERROR: r",
    ]  # fmt: skip
    assert f"<31>{TAG}: DEBUG: d" not in syslog.lines()
    log.close()
    assert trace.closed
    log.info("afterwards")


def test_a_trace_on_standard_error_has_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(TAG, {}, sys.stderr)
    log.info("i")
    log.exit_reason("r")
    log.close()
    assert re.fullmatch("[0-9:]{8} INFO: i\nocf-exit-reason:r\n", capsys.readouterr().err)


@pytest.mark.parametrize("name", ["HA_LOGFILE", "HA_DEBUGLOG"])
def test_a_fifo_that_no_process_reads_does_not_hang(name: str, tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    say_all(Log(TAG, {name: str(path), "HA_debug": "1"}))
