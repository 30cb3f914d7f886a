"""The resident process of a director: it notices changes and has the ordinary cycle run.

The watcher never touches the kernel's table and decides nothing (docs/decisions/057).
"""
