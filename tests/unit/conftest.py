"""Settings of the properties that hypothesis tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Examples have no time limit: on a busy machine each may take long.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
