"""vip-manager: a daemon that holds one or more addresses while this node leads.

``options`` and ``configuration`` declare the wanted state.  ``address_machine`` decides the next
step for an address, and ``managed_address`` performs it.  ``daemon`` has the main loop.
"""
