"""Queries of PostgreSQL and the meaning of their answers; ``system.postgres`` sends them."""
