"""What is asked of PostgreSQL, and what its answers mean; who asks is in ``system.postgres``."""
