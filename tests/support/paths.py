"""Directories of the tree."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
BUILD = ROOT / "build"
"""Reports and other results; not in the repository."""
AGENTS = ROOT / "ocf"
TOOLS = ROOT / "tools"
ENTER_NAMESPACES = TESTS / "support" / "enter_namespaces"
"""The script that runs a command whose processes and mounts end with it."""
