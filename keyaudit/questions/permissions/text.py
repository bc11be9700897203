"""The permissions for people, by kind; in full, each with what it reads and what depends on it."""

from collections.abc import Iterator

from keyaudit.model.operations import Rights
from keyaudit.questions.permissions.needs import Need, Needed, why
from keyaudit.report.lines import joined, wrap

_WIDTH = 80
_HEADINGS = {
    Rights.AZURE: "Azure roles; a role assigned at a subscription or management group is inherited",
    Rights.GRAPH: "Application permissions on Microsoft Graph, with admin consent",
}
_ELSEWHERE = "Granted elsewhere, by none of the above"


def render(needed: Needed) -> str:
    """Lines of at most 80 columns, one for each permission."""
    return joined(_lines(needed, full=False))


def render_full(needed: Needed) -> str:
    """Lines of at most 80 columns, with what each permission is for."""
    return joined(_lines(needed, full=True))


def _lines(needed: Needed, *, full: bool) -> Iterator[str]:
    yield from wrap(f"The least privileges that keyaudit needs for {needed.purpose}. keyaudit only reads with them.", _WIDTH)
    for rights, heading in _HEADINGS.items():
        yield from _group(heading, needed.of(rights), needed, full=full)
    instead = needed.access_policies()
    if instead:
        yield ""
        yield from wrap("Instead of a role, on each vault under access policies", _WIDTH)
        for kind, allowed in instead.items():
            yield f"  {kind}: {', '.join(allowed)}"
    yield from _group(_ELSEWHERE, needed.elsewhere(), needed, full=full)
    yield ""
    more = "" if full else "--full, for what each one reads and which policies need it; "
    yield from wrap(f"Next: keyaudit doctor permissions {more}--as az, bicep, terraform or json, to grant them.", _WIDTH)


def _group(heading: str, needs: tuple[Need, ...], needed: Needed, *, full: bool) -> Iterator[str]:
    if needs:
        yield ""
        yield from wrap(heading, _WIDTH)
    for need in needs:
        yield from wrap(need.right.text, _WIDTH, "  ", "    ")
        if full:
            yield from wrap(f"reads: {need.reads}", _WIDTH, "    ", "      ")
            yield from wrap(f"for: {why(need, needed)}", _WIDTH, "    ", "      ")
