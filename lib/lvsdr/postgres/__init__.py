"""Queries of PostgreSQL and the meaning of their answers; ``system.postgres_query`` sends them."""
