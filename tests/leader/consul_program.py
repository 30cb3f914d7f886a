"""The program consul, from the last Debian release that contains it."""

from __future__ import annotations

from pathlib import Path

from tests.debian import suite

SUITE, PACKAGE = "bullseye", "consul"  # 1.8.7; no later suite has it


def fetch() -> Path:
    """Return the path of consul, fetched if it is not there.

    Raises SystemExit, with the reason, if it cannot be fetched.
    """
    try:
        return suite.unpack(SUITE, (PACKAGE,)) / "usr/bin/consul"
    except (suite.Unavailable, OSError) as problem:
        what = f"{PACKAGE} of Debian {SUITE}"
        raise SystemExit(f"leader: cannot fetch {what}: {problem}") from None
