"""The comments on permissions in every script."""

from collections.abc import Iterator

from keyaudit.questions.permissions.needs import Need, Needed, why
from keyaudit.report.lines import wrap

_WIDTH = 110


def head(needed: Needed, mark: str) -> Iterator[str]:
    """The heading of the script."""
    text = f"The least privileges that keyaudit {needed.version} needs for {needed.purpose}. keyaudit only reads with them."
    yield from wrap(text, _WIDTH, f"{mark} ", f"{mark} ")


def note(need: Need, needed: Needed, mark: str, indent: str = "") -> list[str]:
    """The purpose of a permission."""
    begin = f"{indent}{mark} "
    return wrap(f"{need.name}: {need.reads}. For {why(need, needed)}.", _WIDTH, begin, begin)


def by_hand(needed: Needed, mark: str) -> Iterator[str]:
    """The permissions that this script cannot grant, each with the command that can, if any."""
    needs = needed.elsewhere()
    if not needs:
        return
    yield ""
    yield f"{mark} Not given here:"
    for need in needs:
        yield from wrap(f"{need.right.text}: {need.reads}. For {why(need, needed)}.", _WIDTH, f"{mark} - ", f"{mark}   ")
        if need.right.command:
            yield f"{mark}   {need.right.command.format(name='HSM', scope='SCOPE')}"
