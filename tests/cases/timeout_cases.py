"""Results of ``ipvsadm --set``: one table for the fake kernel and the real one."""

from __future__ import annotations

CASES: list[tuple[str, str]] = [
    # options of --set after 900 120 300; the timeouts then
    ("1800 0 0", "1800 120 300"),
    ("0 30 0", "900 30 300"),
    ("0 0 0", "900 120 300"),
    ("1 0 0", "1 120 300"),
    ("2073600 0 0", "2073600 120 300"),
    ("2678401 0 0", "900 120 300"),
    ("ten 0 0", "900 120 300"),
    ("1.5 0 0", "900 120 300"),
]
