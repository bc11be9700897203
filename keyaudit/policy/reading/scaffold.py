"""Generates a new policy file that loads, with the required examples, for its author to edit."""

from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.errors import UsageError
from keyaudit.model.schema.columns import Column, Table, Type
from keyaudit.model.severity import Severity, Weakness
from keyaudit.model.tables import TABLES
from keyaudit.policy.reading.schema import ID

# For each type, best first: a violation, a passing value, a boundary value, and a failing value.
_WRONG = {
    Type.BOOLEAN: ("not {name}", "true", "false"),
    Type.TIME: ("{name} < now", "now", "1 days ago"),
    Type.TEXT: ('{name} == "bad"', "good", "bad"),
    Type.DURATION: ("{name} < days(90)", "90 days", "89 days"),
    Type.TEXTS: ('"bad" in {name}', "[good]", "[bad]"),
}


def scaffold(name: str, table: str) -> str:
    """The text of a new policy of that id over a table. It passes `policies check` and `policies test` as it is.

    Raises UsageError for an invalid id or table.
    """
    if ID.fullmatch(name) is None or len(name) > 64:
        what = f"{shown(name)} cannot be an id"
        raise UsageError("policies new", what, "lower-case words and digits joined by -, at most 64 characters")
    declared = TABLES.get(table)
    if declared is None:
        raise UsageError("policies new", f"no such table: {shown(table)}", nearest(table, TABLES))
    column = _column(declared)
    wrong, good, bad = _WRONG[column.type]
    violated = wrong.format(name=column.name)
    if column.absent:
        violated = f"{column.name} is not None and {violated}"
    examples = [
        "  - {why: as it should be, expect: pass}",
        f"  - {{why: as it should not be, expect: fail, {column.name}: {bad}}}",
        f"  - {{why: it could not be read, expect: unknown, {column.name}: unknown}}",
    ]
    if column.absent:
        where = "".join(f", {each.column}: {_value(each.values[0])}" for each in column.absent_where)
        examples.append(f"  - {{why: {_quoted(column)}, expect: pass, {column.name}: absent{where}}}")
    return "\n".join(
        [
            f"id: {name}",
            "# The requirement, in one sentence.",
            f"title: {declared.noun.capitalize()} is as it should be",
            "# The violation as a noun phrase, at most 60 characters.",
            f"problem: {declared.noun.capitalize()} is not as it should be"[:69],
            *_judged(table),
            f"# {declared.meaning}.",
            f"table: {table}",
            "# applies_to: a condition; the policy ignores all other rows.",
            *([f"needs: {declared.needs}"] if declared.needs else []),
            f"violated_when: {_yaml(violated)}",
            f'message: "{column.name} is {{{column.name}{_text(column)}}}"',
            "why: State the possible damage, and its sources.",
            "fix:",
            "  text: Say how to fix it.",
            "references:",
            "  - Name the source of this requirement.",
            "# The columns that every example starts with; each example names its differences.",
            f"given: {{{column.name}: {good}}}",
            "examples:",
            *examples,
            "",
        ]
    )


def _judged(table: str) -> tuple[str, str]:
    """What decides the severity. Of tables such as workspace, nothing says what a row opens."""
    if not TABLES[table].opens:
        return f"# {', '.join(Severity)}: the same for every row.", "severity: medium"
    return f"# {', '.join(Weakness)}: the severity follows from this and from what a row opens.", "weakness: weak"


def _column(table: Table) -> Column:
    """A column for the example condition: of a simple type, and if possible not absent in rows of one kind alone."""
    read = [each for each in table.columns if each.operations or (table.needs and each.needs)]
    return min(
        (each for each in read if each.type in _WRONG and not each.values),
        key=lambda each: (bool(each.absent_where), list(_WRONG).index(each.type)),
    )


def _value(value: str | bool | None) -> str:
    return "absent" if value is None else str(value).lower() if isinstance(value, bool) else value


def _text(column: Column) -> str:
    return ":not set" if column.absent or column.type is Type.TEXTS else ""


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'" if '"' in text else text


def _quoted(column: Column) -> str:
    return '"' + column.absent.replace('"', "'") + '"'
