"""Write what the documentation has from the declarations: ``make docs``, or ``--check`` them.

A document marks the place with two lines that contain ``parameters of AGENT begin`` and ``end``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from lvsdr.agents import AGENTS  # noqa: E402
from lvsdr.ocf.parameters import Parameter  # noqa: E402
from lvsdr.ocf.prose import parameter_manual, parameter_table  # noqa: E402

Renderer = Callable[[Iterable[Parameter[Any]]], str]


def documents() -> Iterable[tuple[Path, Renderer]]:
    """Every document with generated parts, and how parameters are written in it."""
    yield ROOT / "README.md", parameter_table
    for page in sorted((ROOT / "docs/man").glob("ocf_lvsdr_*.7")):
        yield page, parameter_manual


def current(text: str, render: Renderer) -> str:
    """The document as it should be."""
    for name, module in AGENTS.items():
        generated = render(import_module(module).AGENT.all_parameters)
        begin, end = (rf"^.*parameters of {name} {word}.*\n" for word in ("begin", "end"))
        place = re.search(f"{begin}((?s:.*?)){end}", text, re.MULTILINE)
        if place is not None:
            text = text[: place.start(1)] + generated + text[place.end(1) :]
    return text


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
