"""LVS under the cluster's control: Pacemaker resource agents whose pools follow the cluster."""

__version__ = "0.1.0"
