"""LVS under the cluster's control: Pacemaker resource agents whose pools follow the cluster."""

__version__ = "0.1.0"
__date__ = "2026-11-28"  # of the version; man pages have it, whenever they are built
