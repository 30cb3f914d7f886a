"""Values and parsers that every other room may use.  Pure."""
