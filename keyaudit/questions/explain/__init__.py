"""A policy in full, for people: requirement, reason, fix and sources."""

from collections.abc import Iterator, Mapping

from keyaudit.model.guardrails import ENABLED
from keyaudit.model.results.causes import KINDS
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.fixes import parts
from keyaudit.model.values.text import one_line
from keyaudit.questions.explain.rehearsals import said
from keyaudit.report.lines import joined, wrap
from keyaudit.report.options import PAGE

_INDENT = "  "
_TEXT = 10_000


def render_policy(text: PolicyText, details: Mapping[str, str], width: int = PAGE) -> str:
    """The policy's text in lines of at most `width` columns, commands excepted. `details` are shown after the reason, by name,
    in order.
    """
    return joined(_lines(text, details, width))


def _lines(text: PolicyText, details: Mapping[str, str], width: int) -> Iterator[str]:
    yield from wrap(f"{text.id} ({text.severity}, {text.table})", width)
    yield from _section("What must hold", text.title, width)
    yield from _section("Why", text.why, width)
    for name, detail in details.items():
        yield from _section(name, detail, width)
    yield from _section("Cause", "\n".join(causes(text)), width)
    for part in parts(text.fix, text.steps):
        yield from _section(part.heading, "\n".join(part.lines), width, wrapped=not part.is_command)
        if part.is_command:
            yield from wrap(said(text.id, part.lines[0]), width, _INDENT, _INDENT)
    if text.needs:
        yield from _section(
            "Needs", f"{', '.join(text.needs)}, which Azure does not provide; without it, the policy is not evaluated", width
        )
    sections = {
        "References": text.references,
        "Frameworks": controls(text),
        "Guardrails": guardrails(text),
        "Lessons": text.lessons,
    }
    for name, lines in sections.items():
        yield from _section(name, "\n".join(lines), width)


def causes(text: PolicyText) -> Iterator[str]:
    """What one action closes together with findings of other policies, one line for each declared cause."""
    for each in text.causes:
        kind = KINDS[each.kind]
        where = f" where {each.when}" if each.when else ""
        yield f"{each.kind}, of one {kind.object}{where}. {kind.action}"
    if not text.causes:
        yield "No single action closes it together with findings of other policies: each finding has its own cause."


def controls(text: PolicyText) -> list[str]:
    """The mapped controls by framework, each with its condition."""
    return [
        f"{name}: {', '.join(_control(each, text.confined.get(name, {})) for each in mapped)}"
        for name, mapped in sorted(text.frameworks.items())
    ]


def _control(control: str, confined: Mapping[str, str]) -> str:
    return f"{control} ({confined[control]})" if control in confined else control


def guardrails(text: PolicyText) -> list[str]:
    """The guardrails of the policy by kind, each with its limit parameter."""
    return [
        f"{kind}: {', '.join(name if limit == ENABLED else f'{name} ({limit})' for name, limit in named.items())}"
        for kind, named in sorted(text.guardrails.items())
    ]


def _section(name: str, text: str, width: int, *, wrapped: bool = True) -> Iterator[str]:
    """`wrapped`: false for commands, which must stay on one line."""
    paragraphs = [one_line(line, _TEXT) for line in text.splitlines() if line.strip()]
    if paragraphs:
        yield ""
        yield name
        for paragraph in paragraphs:
            yield from wrap(paragraph, width, _INDENT, _INDENT) if wrapped else [_INDENT + paragraph]
