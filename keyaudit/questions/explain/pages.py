"""Policies and tables as Markdown: a page for each, and an index, to be published or read beside the code."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from keyaudit.model.evidence import remedy
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.fixes import parts
from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.model.values.text import one_line
from keyaudit.questions.explain import controls, guardrails

_LONGEST = 10_000


def policy_page(text: PolicyText, details: Mapping[str, str], examples: Sequence[tuple[str, str, str]]) -> str:
    """A policy: `details` by name, in order, shown as code; `examples` as (why, outcome, columns)."""
    return "\n".join(_policy(text, details, examples)) + "\n"


def table_page(table: Table, filled_by: Mapping[str, tuple[str, ...]]) -> str:
    """A table, column by column. `filled_by`: the operations of each column, by name."""
    lines = [f"# {table.name}", "", f"One row is {_plain(table.meaning)}.", ""]
    if table.listed_by:
        lines += [f"Rows may be missing unless all of these were read: {_nouns(table.listed_by)}.", ""]
    if table.needs:
        lines += [f"It comes from evidence outside Azure ({table.needs}): {remedy((table.needs,))}.", ""]
    rows = [
        (f"`{column.name}`", _type(column), _meaning(column), _plain(column.absent), _filled(column, filled_by[column.name]))
        for column in table.columns
    ]
    header = ("column", "type", "meaning", "absent means", "unknown unless this was read")
    return "\n".join([*lines, *_table(header, rows)]) + "\n"


def index_page(policies: Iterable[PolicyText], tables: Iterable[Table]) -> str:
    """The index, with a link to each page."""
    rows = [(f"[{text.id}](policies/{text.id}.md)", str(text.severity), _plain(text.title)) for text in policies]
    described = [(f"[{table.name}](tables/{table.name}.md)", _plain(table.meaning)) for table in tables]
    return "\n".join(
        [
            "# The tables that keyaudit evaluates, and their policies",
            "",
            "## Policies",
            "",
            *_table(("policy", "severity", "what is good"), rows),
            "",
            "## Tables",
            "",
            *_table(("table", "a row is"), described),
            "",
        ]
    )


def _policy(text: PolicyText, details: Mapping[str, str], examples: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    yield from (f"# {text.id}", "", f"**{_plain(text.title)}.** Severity {text.severity}; judges `{text.table}`.", "")
    yield from ("## Why", "", _plain(text.why), "")
    for name, detail in details.items():
        yield from (f"## {name}", "", *(f"    {one_line(line, _LONGEST)}" for line in detail.splitlines()), "")
    if text.needs:
        yield from ("## Needs", "", f"{', '.join(text.needs)}: without it, the policy is not evaluated.", "")
    yield from ("## Fix", "")
    for part in parts(text.fix, text.steps):
        yield from (f"{part.heading}:", "")
        for line in part.lines:
            yield from (f"    {one_line(line, _LONGEST)}" if part.is_command else _plain(line), "")
    yield from ("## Examples", "", *_table(("", "outcome", "columns"), examples), "")
    for name, found in (
        ("Frameworks", [f"- {_plain(each)}" for each in controls(text)]),
        ("Guardrails", [f"- {each}" for each in guardrails(text)]),
        ("References", [f"- {_plain(each)}" for each in text.references]),
        ("Lessons", [f"- {each}" for each in text.lessons]),
    ):
        if found:
            yield from (f"## {name}", "", *found, "")


def _type(column: Column) -> str:
    kind = str(column.type) if column.type is not Type.COUNT else "count, at least and at most"
    kind += "; for unknown lists, the known entries" if column.partial else ""
    return f"{kind}, {column.unit}" if column.unit else kind


def _meaning(column: Column) -> str:
    values = f" One of: {', '.join(column.values)}." if column.values else ""
    return f"{_plain(column.meaning)}.{values}"


def _filled(column: Column, operations: Sequence[str]) -> str:
    return ", ".join(filter(None, (_nouns(operations), column.needs)))


def _nouns(operations: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(OPERATIONS[operation].noun for operation in operations))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _plain(text: str) -> str:
    """Escaped text, because an organisation's own policies are documented too."""
    shown = one_line(text, _LONGEST)
    return "".join(f"\\{character}" if character in "\\`*_<>[]#" else character for character in shown)
