"""Pacemaker resource agents for LVS: pools of real servers that follow the cluster's state."""

__version__ = "0.1.0"
__date__ = "2026-11-28"  # release date, which man pages contain: their build is reproducible
