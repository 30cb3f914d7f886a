"""Checks of real servers over the network, side by side, for an event loop.  None of them blocks.

To add a check, write a module with a class like ``TcpChecker``, and add it to ``open_checker``.
"""
