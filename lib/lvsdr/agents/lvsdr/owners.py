"""The resource that owns a service of this node: its state file names the service.

Two resources with the same virtual IP, port and protocol would undo each other's changes.  The stop
of one would delete the service of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...errors import BadArgument, LvsdrError, NotInstalled, SourceUnavailable, Unlockable
from ...ipvs.table import ServiceKey
from ...ocf.context import Context
from ...system import crm, ipvs_proc, locking, small_files
from ...values.parsing import join_endpoint, remove_instance_number
from .saved_pool import load_saved_pool, render_saved_pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .saved_pool import SavedPool


def find_other_owner(context: Context, key: ServiceKey) -> str | None:
    """Return the other resource that owns the service; None if this one may have it.

    A service that no state file names is adopted.
    """
    if load_saved_pool(context.build_path("state")).service == key:
        return None
    return next(_find_other_owners(context, key), None)


@contextmanager
def own_service(context: Context, key: ServiceKey, saved: SavedPool) -> Iterator[None]:
    """Own the service from now on; no other start on this node runs in between.

    Raise BadArgument if the service belongs to another resource.  That error concerns this node
    only.
    """
    path = f"{context.rsctmp}/lvsdr-services.lock"
    tell = context.log.warning
    with locking.locked(path, context.deadline, go_on_after=(Unlockable,), tell=tell):
        other_owner = find_other_owner(context, key)
        if (
            other_owner is not None
            and ipvs_proc.find_service(key) is not None
            and _is_in_cluster(context, other_owner)
        ):
            raise BadArgument(
                f"resource {other_owner} has the {key.protocol} service "
                f"{join_endpoint(key.address, key.port)} on this node already: "
                "give this one another vip, port or protocol"
            )
        for stale_owner in _find_other_owners(context, key):
            _take_over_service(context, stale_owner)
        # The cycle saves its state, too, and reports the problem then.
        context.save("state", render_saved_pool(saved._replace(service=key)))
        yield


def _take_over_service(context: Context, stale_owner: str) -> None:
    """Remove the file of a resource that is no longer active here; it would count as the owner."""
    path = context.build_path("state", instance=stale_owner)
    try:
        small_files.remove(path)
    except OSError as error:
        raise LvsdrError(
            f"cannot remove {path}, by which resource {stale_owner} owns the service: "
            f"{error.strerror}"
        ) from None
    context.log.info(f"taken over from resource {stale_owner}, which is no longer active here")


def _find_other_owners(context: Context, key: ServiceKey) -> Iterator[str]:
    """Yield the other resources of this node that name the service in their state files."""
    for instance in context.list_instances("state"):
        is_own = remove_instance_number(instance) == remove_instance_number(context.instance)
        if (
            not is_own
            and load_saved_pool(context.build_path("state", instance=instance)).service == key
        ):
            yield instance


def _is_in_cluster(context: Context, instance: str) -> bool:
    """Test whether the cluster has the resource; a deleted resource owns nothing."""
    try:
        cluster = crm.read_cluster_state(context.deadline)
    except (NotInstalled, SourceUnavailable):
        return True
    return remove_instance_number(instance) in cluster.resources
