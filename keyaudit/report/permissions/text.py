"""The permissions for people: by kind, each with what it reads and what depends on it."""

from collections.abc import Iterator

from keyaudit.model.operations import Rights
from keyaudit.report.lines import joined, wrap
from keyaudit.report.permissions.needs import Need, Needed, why

_WIDTH = 80
_HEADINGS = {
    Rights.AZURE: "Azure roles; one assigned at a subscription or management group is inherited",
    Rights.GRAPH: "Application permissions on Microsoft Graph, consented to for the tenant",
}
_ELSEWHERE = "Given elsewhere, by nothing above"


def render(needed: Needed) -> str:
    """Lines of at most 80 columns."""
    return joined(_lines(needed))


def _lines(needed: Needed) -> Iterator[str]:
    yield from wrap(f"The least rights that keyaudit needs for {needed.purpose}. keyaudit only reads with them.", _WIDTH)
    for rights, heading in _HEADINGS.items():
        yield from _group(heading, needed.of(rights), needed)
    instead = needed.access_policies()
    if instead:
        yield ""
        yield from wrap("Instead of a role, on each vault under access policies", _WIDTH)
        for kind, allowed in instead.items():
            yield f"  {kind}: {', '.join(allowed)}"
    yield from _group(_ELSEWHERE, needed.elsewhere(), needed)
    yield ""
    yield from wrap("Next: keyaudit permissions --as az, bicep, terraform or json, to grant them.", _WIDTH)


def _group(heading: str, needs: tuple[Need, ...], needed: Needed) -> Iterator[str]:
    if needs:
        yield ""
        yield from wrap(heading, _WIDTH)
    for need in needs:
        yield from wrap(need.right.text, _WIDTH, "  ", "    ")
        yield from wrap(f"reads: {need.reads}", _WIDTH, "    ", "      ")
        yield from wrap(f"for: {why(need, needed)}", _WIDTH, "    ", "      ")
