"""vip-manager: a daemon that holds one or more addresses while this node leads.

``options`` and ``configuration`` declare the wanted state.  ``keeping`` decides the next step for
an address, and ``daemon`` performs it.  The other modules report the state, or provide parts.
"""
