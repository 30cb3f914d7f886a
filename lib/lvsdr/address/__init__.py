"""Interfaces and addresses: commands for ip(8), ARP frames and neighbour advertisements.  Pure."""
