"""vip-manager: a daemon that has one or more addresses while this node leads.

``options`` and ``configuration`` say what is wanted, ``keeping`` what to do next with an address,
``daemon`` does it; all else tells others about it.
"""
