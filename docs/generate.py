"""Write what the documentation has from the declarations: ``make docs``, or ``--check`` them.

A document marks the place with two lines that contain ``parameters of AGENT begin`` and ``end``, or
``tested systems begin`` and ``end`` for what ``make other-systems`` has written down.
The first line of a man page has the version and its date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from lvsdr import __date__, __version__  # noqa: E402
from lvsdr.agents import AGENTS  # noqa: E402
from lvsdr.ocf.parameters import Parameter  # noqa: E402
from lvsdr.ocf.prose import parameter_manual, parameter_table  # noqa: E402

README = ROOT / "README.md"
TESTED = ROOT / "docs/tested.json"

Renderer = Callable[[Iterable[Parameter[Any]]], str]


def documents() -> Iterable[tuple[Path, Renderer]]:
    """Yield each document with generated parts, and the way that parameters are written in it."""
    yield README, parameter_table
    for page in sorted((ROOT / "docs/man").glob("*.[0-9]")):
        yield page, parameter_manual


def current(text: str, render: Renderer) -> str:
    """Return the document as it should be."""
    for name, module in AGENTS.items():
        generated = render(import_module(module).AGENT.all_parameters)
        text = placed(text, f"parameters of {name}", generated)
    return titled(placed(text, "tested systems", tested_table(json.loads(TESTED.read_text()))))


def titled(text: str) -> str:
    """Return the text; the title of a man page has the date and the version.

    >>> print(titled('.TH tool 1 "" lvsdr "manual"'))  # doctest: +ELLIPSIS
    .TH tool 1 ... "lvsdr ..." "manual"
    """
    title = rf'\1 {__date__} "lvsdr {__version__}" \2'
    return re.sub(r'^(\.TH \S+ \d) \S+ (?:\w+|"[^"]*") (".*")$', title, text, flags=re.MULTILINE)


def placed(text: str, title: str, generated: str) -> str:
    """Return the text with this between the lines that contain the title and begin, and end."""
    begin, end = (rf"^.*{title} {word}.*\n" for word in ("begin", "end"))
    place = re.search(f"{begin}((?s:.*?)){end}", text, re.MULTILINE)
    return text[: place.start(1)] + generated + text[place.end(1) :] if place else text


def tested_table(rows: list[dict[str, str]]) -> str:
    """Return the table of the systems that tests ran on."""
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Write the documents; with ``--check`` only name those that are not current, and fail."""
    stale = []
    for path, render in documents():
        text = path.read_text()
        wanted = current(text, render)
        if text != wanted:
            stale.append(str(path.relative_to(ROOT)))
            if "--check" not in sys.argv:
                path.write_text(wanted)
    for name in stale:
        print(f"{name}: {'not current, run make docs' if '--check' in sys.argv else 'written'}")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
