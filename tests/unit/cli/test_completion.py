"""Completion of command lines in a shell by click, with the real tools."""

from __future__ import annotations

import subprocess

import pytest
from lvsdr.cli import TOOLS
from lvsdr.cli.program import format_completion_variable

from tests.support.paths import ROOT
from tests.unit.cli.processes import run

# No server is there: a tool that did its work would report that and fail.
NOWHERE = {"PGHOST": "/nonexistent", "PGCONNECT_TIMEOUT": "2"}
WORDS = [
    ("check_active_slave", "psql --max", ["--max-lag-bytes", "--max-lag-seconds"]),
    ("get_active_slaves", "'host=a b' --no", ["--node", "--nodes"]),
    ("get_active_slaves", '"host=a --verb', []),
    ("vip-manager", "", ["run", "status", "check"]),
    ("vip-manager", "--interface eth0 st", ["status"]),
    ("vip-manager", "--dcs-t", ["--dcs-type"]),
]


def complete(shell: str, name: str, words: str, count: int) -> list[str]:
    """Return a tool's answer to a shell, line by line."""
    environ = {
        format_completion_variable(name): f"{shell}_complete",
        "COMP_WORDS": f"{name} {words}",
        "COMP_CWORD": str(count),
    }
    found = run(name, **NOWHERE, **environ)
    assert (found.status, found.err) == (0, "")
    return [line for line in found.out.splitlines() if line]


@pytest.mark.parametrize(("name", "words", "wanted"), WORDS)
def test_bash_and_zsh_get_completions(name: str, words: str, wanted: list[str]) -> None:
    count = {"": 1, "psql --max": 2, "'host=a b' --no": 2, '"host=a --verb': 1}.get(
        words, len(words.split())
    )
    assert complete("bash", name, words, count) == [f"plain,{word}" for word in wanted]
    assert complete("zsh", name, words, count)[1::3] == wanted


def test_the_shell_completes_a_file() -> None:
    assert complete("bash", "vip-manager", "--config /e", 2) == ["file,/e"]


@pytest.mark.parametrize("name", TOOLS)
def test_a_real_bash_completes(name: str) -> None:
    """A real bash completes with the lines that the documentation gives for its start file."""
    script = f"""
        export PATH={ROOT}/tools:$PATH
        tool={name}
        eval "$(env "_$(echo $tool | tr a-z- A-Z_)_COMPLETE=bash_source" $tool)"
        COMP_WORDS=({name} --ver) COMP_CWORD=1
        _{name.replace("-", "_")}_completion {name}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--version" in done.stdout.split()


@pytest.mark.parametrize("name", TOOLS)
def test_an_unknown_shell_is_an_error(name: str) -> None:
    found = run(name, **NOWHERE, **{format_completion_variable(name): "tcsh_source"})
    assert (found.status, found.out, found.err) == (1, "", "")
