"""Type check of the executables in ocf and tools, by one run of mypy.

mypy takes one script a run, because each is the module `__main__`, and one of them has the name of
the library. Links with names of modules make them modules.
"""

from __future__ import annotations

import os
import shutil

from tests.support.paths import ROOT

MYPY = ROOT / ".venv/bin/mypy"
LINKS = ROOT / "build/types/stubs"


def link_stubs() -> None:
    """Make a link to each executable, with the name of a module."""
    shutil.rmtree(LINKS, ignore_errors=True)
    LINKS.mkdir(parents=True)
    for directory in ("ocf", "tools"):
        for stub in sorted((ROOT / directory).glob("*[!~]")):
            name = f"{directory}_{stub.name.replace('-', '_')}.py"
            (LINKS / name).symlink_to(os.path.relpath(stub, LINKS))


def main() -> None:
    link_stubs()
    os.chdir(ROOT)
    os.execv(MYPY, [str(MYPY), os.path.relpath(LINKS, ROOT)])


if __name__ == "__main__":
    main()
