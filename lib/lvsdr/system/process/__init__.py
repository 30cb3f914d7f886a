"""Processes: start, fork, bounded output and time, and the end of the whole process group."""
