"""An address on an interface: taken, given back and announced, by agents and daemons alike."""
