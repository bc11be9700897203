"""Recipes for each kind of reader, one file each, and what else `keyaudit explain` tells that is of no single policy."""

from collections.abc import Iterator, Mapping
from importlib import resources

from keyaudit.model.errors import MEANINGS
from keyaudit.model.reasons import ADVICE
from keyaudit.report.formats import BUNDLE, FILES, PRINTED
from keyaudit.report.lines import joined, wrap
from keyaudit.report.redact import LIMITS

RECIPES: Mapping[str, str] = {
    "admin": "a first audit: rights, what was found, what was not read, and how to mend both",
    "auditor": "evidence: what to ask for, whether it is complete, controls and exceptions",
    "pipeline": "a gate in GitHub Actions, Azure Pipelines or anywhere: sign-in, baseline, schedule",
    "policy-author": "a policy of your own: columns, condition, examples",
}
"""What each is about, by name."""

TOPICS: Mapping[str, str] = {
    **RECIPES,
    "gaps": "each reason for which something is not read, and what to do about it",
    "exit-codes": "what each exit code means",
    "formats": "each format, what it is for, and what has to be installed for it",
    "redaction": "what --redact keeps from whom, and what can be guessed all the same",
}

_WIDTH = 80


def topic(name: str) -> str:
    """The text of one of TOPICS, over lines of mostly at most 80 columns: those of a command are whole."""
    if name == "gaps":
        return joined(_gaps())
    if name == "exit-codes":
        return "".join(f"{int(code):>4}  {meaning}\n" for code, meaning in MEANINGS.items())
    if name == "formats":
        return joined(_formats())
    if name == "redaction":
        return LIMITS
    return resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")


def overview() -> str:
    """All topics."""
    return joined(_overview())


def _gaps() -> Iterator[str]:
    yield from wrap("Something was not read, for one of these reasons:", _WIDTH)
    for reason, advice in ADVICE.items():
        yield ""
        yield from wrap(f"{reason}: {advice.meaning}", _WIDTH)
        yield from wrap(advice.remedy, _WIDTH, "  ", "  ")


def _formats() -> Iterator[str]:
    width = max(map(len, (*PRINTED, *FILES, BUNDLE))) + 2
    written = {name: (each.meaning, each.extra) for name, each in FILES.items()}
    written[BUNDLE] = ("a folder of evidence, whole or not there, which keyaudit export verify DIR checks", "")
    yield from wrap("Printed with -o FORMAT, or written as those below:", _WIDTH)
    for name, meaning in PRINTED.items():
        yield from wrap(meaning, _WIDTH, f"  {name:<{width}}", " " * (width + 2))
    yield ""
    yield from wrap("Written by keyaudit export FORMAT=PATH, or beside a report or gate with --export FORMAT=PATH:", _WIDTH)
    for name, (meaning, extra) in written.items():
        yield from wrap(meaning, _WIDTH, f"  {name:<{width}}", " " * (width + 2))
        if extra:
            yield from wrap(f"needs: pip install 'keyaudit[{extra}]'", _WIDTH, " " * (width + 2), " " * (width + 2))


def _overview() -> Iterator[str]:
    yield "keyaudit explain TOPIC, where TOPIC is"
    width = max(map(len, TOPICS)) + 2
    for name, about in TOPICS.items():
        yield from wrap(about, _WIDTH, f"  {name:<{width}}", " " * (width + 2))
    yield ""
    yield from wrap("or the id of a policy; keyaudit policies list has them all.", _WIDTH)
