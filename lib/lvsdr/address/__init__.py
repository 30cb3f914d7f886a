"""An address on an interface: taken, released and announced, by agents and daemons alike."""
