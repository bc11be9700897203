"""The days on which a log shows everything: it is complete, reaches until now, and no setting that sends it was removed."""

from collections.abc import Collection, Iterable

from keyaudit.model.tables.usage import REACHES
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY

LONG_ENOUGH = 35 * DAY
"""Complete logs of fewer days do not show that something is not in use: a monthly job may not have run."""
REMOVALS = ("remove-log-settings", "remove-log-destination")
"""The operations after which a log may lack records."""
_SETTING = "/providers/microsoft.insights/diagnosticsettings/"


def covered(
    logs: Iterable[tuple[int | None, int]], removed: Iterable[tuple[str, int]], resources: Collection[str], as_of: int
) -> Window | None:
    """The days on which the log of a resource, or of the tenant, is complete until now; None if there are none.

    `logs`: the first complete day, and the last one, of each part of it. `removed`: the settings or destinations that were
    removed, in lower case, with the last time. `resources`: the names of the resource in lower case.
    """
    whole = [(since, last) for since, last in logs if since is not None and last >= as_of - REACHES - DAY]
    if not whole:
        return None
    cut = [on - on % DAY + DAY for target, on in removed if _concerns(target, resources)]
    return Window(since=max([min(since for since, _ in whole), *cut]), until=max(last for _, last in whole) + DAY)


def _concerns(removed: str, resources: Collection[str]) -> bool:
    """Whether the setting or destination that was removed may be one of the log of that resource."""
    of, setting, _ = removed.partition(_SETTING)
    return not setting or of in resources
