"""The command line tools, and their start.

To add a tool, write a module with ``main(arguments)``, a stub and a man page, and add a line to
``TOOLS``.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

TOOLS = {
    "check_active_slave": "lvsdr.cli.check_active_slave",
    "get_active_slaves": "lvsdr.cli.get_active_slaves",
    "vip-manager": "lvsdr.cli.vip_manager",
}
_SYSTEM_PATH = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
CANNOT_RUN = 126  # POSIX shell: found, but not executable


def main(name: str) -> NoReturn:
    """Run the tool ``name`` with the arguments of this process, and exit."""
    import site

    site.main()  # the stubs run with -S; the tools need the distribution's modules
    path = os.environ.get("PATH", "").split(":")
    os.environ["PATH"] = ":".join(dict.fromkeys((*filter(None, path), *_SYSTEM_PATH)))
    try:
        module = import_module(TOOLS[name])
    except Exception as error:  # an old module on a new Python raises more than ImportError
        print_error(name, _describe_import_error(error))
        code = CANNOT_RUN
    else:
        code = module.main(sys.argv[1:])
    os._exit(code)  # the output is flushed, and nothing needs a cleanup


def print_error(name: str, message: object) -> None:
    """Print any message as one line on standard error, if that is possible."""
    line = " ".join(str(message).split())
    printable_line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    if sys.stderr is not None:  # closed
        with suppress(OSError):
            print(f"{name}: {printable_line}", file=sys.stderr)


def _describe_import_error(error: Exception) -> str:
    if isinstance(error, ImportError) and error.name:
        return f"{error} (Debian, EL and Fedora: python3-{error.name.partition('.')[0]})"
    return f"a Python module is broken: {type(error).__name__}: {error}"
