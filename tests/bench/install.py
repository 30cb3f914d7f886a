"""The agents as a user has them: installed and byte-compiled."""

from __future__ import annotations

import subprocess
from pathlib import Path


def install(tree: Path, into: Path) -> Path:
    """Run ``make install`` of a tree below ``into``. Return the directory of the agents."""
    subprocess.run(
        ["make", "-s", "-C", tree, "install", f"PREFIX={into}/usr", f"OCF_ROOT={into}/ocf"],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return into / "ocf/resource.d/lvsdr"
