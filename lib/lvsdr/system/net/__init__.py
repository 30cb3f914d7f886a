"""The network: interfaces, addresses, ARP, look-ups, HTTP."""
