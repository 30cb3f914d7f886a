"""Versions of the software under the tests, printed as JSON in the system that it runs in."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

NONE = "-"


def printed(*command: str) -> str:
    """Return the first line that a command prints, or nothing if it is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.split("\n")[0]


def number(text: str) -> str:
    """Return the first version number in a text."""
    found = re.search(r"\d+(\.\d+)+", text)
    return found[0] if found else NONE


def system() -> str:
    """Return the name of this system and its release."""
    found = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    name = found["NAME"].strip('"').split(" ")[0]
    return f"{name} {found.get('VERSION_ID', '').strip(chr(34))}".strip()


def postgresql() -> str:
    """Return the version of the newest PostgreSQL server that is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("[1-9][0-9]/bin/postgres"))
    return number(printed(str(programs[-1]), "--version")) if programs else NONE


def versions() -> dict[str, str]:
    """Return the versions by their names in the table of tested systems."""
    return {
        "System": system(),
        "Pacemaker": number(printed("crm_mon", "--version")),
        "pcs": number(printed("pcs", "--version")),
        "Python": platform.python_version(),
        "PostgreSQL": postgresql(),
        "Kernel": os.uname().release,
    }


if __name__ == "__main__":
    json.dump(versions(), sys.stdout)
    print()
