"""Python modules of the distribution that agents import on demand.

The stubs start Python with -IS: the standard library suffices for most actions, and is found
faster.
"""

from __future__ import annotations

import sys

from .errors import NotInstalled, SourceUnavailable


def find_distribution_modules() -> None:
    """Add the directories of the distribution's modules to the search path.

    Under -S, an import of ``site`` does not run it.
    """
    if sys.flags.no_site and "site" not in sys.modules:
        from site import getsitepackages

        sys.path += [path for path in getsitepackages() if path not in sys.path]


class from_package:  # noqa: N801 -- reads like the statement that it surrounds
    """The import of a module that a package of the distribution contains.

    Raises NotInstalled if the module is missing, and SourceUnavailable if it fails to load.  The
    difference matters: a failed start with NotInstalled bans the resource from this node, and a
    lack of memory or descriptors may be over in a moment.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def __enter__(self) -> None:
        find_distribution_modules()

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        package = f"package {self._package}"
        if isinstance(error, ModuleNotFoundError):
            name = str(error.name).partition(".")[0]
            raise NotInstalled(f"Python's {name} is not installed ({package})") from None
        if isinstance(error, Exception):  # an old module on a new Python raises other errors, too
            reason = f"a Python module cannot be loaded: {' '.join(str(error).split())} ({package})"
            raise SourceUnavailable(reason) from None
