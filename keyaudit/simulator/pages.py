"""Pages of lists in Key Vault and ARM, and their links."""

import base64
import binascii
import bisect
import json
from collections.abc import Callable, Sequence

from keyaudit.simulator.wire import Request, compact

_MOST_KEYS = 25
_RESOURCES = 100
_OTHER_VERSION = "7.6"


class BadPageError(Exception):
    """A page that the service refuses with a 400."""


def vault_page(
    request: Request, names: Sequence[str], item: Callable[[int], object], *, short: int = 0, restated: bool = False
) -> dict[str, object]:
    """A page of a vault's list; the last has a null nextLink. Raises BadPageError.

    `names` are in the order of the list, and the skip token holds the next item's. The first page has `short` items fewer than
    requested, if more follow. `restated`: the link has another api-version.
    """
    query = request.query
    asked = query.get("maxresults", str(_MOST_KEYS))
    if not asked.isdecimal() or not 1 <= int(asked) <= _MOST_KEYS:
        raise BadPageError(f"The maxresults value {asked} is not between 1 and {_MOST_KEYS}.")
    start, size = 0, int(asked)
    if "$skiptoken" in query:
        start = bisect.bisect_left(names, _read_marker(query["$skiptoken"]), key=str.upper)
    elif size > short and len(names) > size:
        size -= short
    end = min(start + size, len(names))
    version = _OTHER_VERSION if restated else query["api-version"]
    return {
        "value": [item(index) for index in range(start, end)],
        "nextLink": _vault_link(request, names[end], version) if end < len(names) else None,
    }


def _vault_link(request: Request, name: str, version: str) -> str:
    """As the service writes it: port 443, api-version first, maxresults last, `$` unescaped."""
    marker = base64.b64encode(name.upper().encode()).decode()
    token = base64.b64encode(compact({"NextMarker": f"2!{len(marker)}!{marker}", "TargetLocation": 0})).decode()
    pieces = [f"api-version={version}", f"$skiptoken={token}"]
    if "maxresults" in request.query:
        pieces.append(f"maxresults={request.query['maxresults']}")
    return f"https://{request.host}:443/{'/'.join(request.segments)}?{'&'.join(pieces)}"


def _read_marker(token: str) -> str:
    try:
        marker = json.loads(base64.b64decode(token, validate=True))["NextMarker"]
        return base64.b64decode(marker.split("!", 2)[2], validate=True).decode()
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BadPageError("The skiptoken is not valid.") from error


def arm_page(
    request: Request, names: Sequence[str], item: Callable[[int], object], *, before: int = 0, after: int = 0
) -> dict[str, object]:
    """A page of an ARM list; the last has no nextLink member. Raises BadPageError.

    Lists of vaults have empty pages that link to a next one: `before` and `after` the items.
    """
    asked = request.query.get("$top", "")
    size = int(asked) if asked.isdecimal() and int(asked) else _RESOURCES
    count = len(names)
    spans = [(start, min(start + size, count)) for start in range(0, count, size)] or [(0, 0)]
    if count:
        spans = [(0, 0)] * before + spans + [(count, count)] * after
    number = _page_number(request.query.get("$skiptoken"), len(spans))
    start, end = spans[number]
    page: dict[str, object] = {"value": [item(index) for index in range(start, end)]}
    if number + 1 < len(spans):
        following = names[min(spans[number + 1][0], count - 1)]
        token = base64.b64encode(f"{number + 1}|{following}".encode()).decode()
        pieces = [*request.query_without("$skiptoken"), f"$skiptoken=ServiceBased,{token}"]
        page["nextLink"] = f"https://{request.host}/{'/'.join(request.segments)}?{'&'.join(pieces)}"
    return page


def _page_number(token: str | None, pages: int) -> int:
    if token is None:
        return 0
    try:
        number = int(base64.b64decode(token.removeprefix("ServiceBased,"), validate=True).split(b"|")[0])
    except (ValueError, binascii.Error) as error:
        raise BadPageError("The skiptoken is invalid.") from error
    if not 0 < number < pages:
        raise BadPageError("The skiptoken is invalid.")
    return number
