"""Reads one policy file with typed fields, and reports all problems with their places."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeVar

from msgspec import structs

from keyaudit.model.documents.nodes import Items, Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, Problem, nearest, shown
from keyaudit.model.evidence import EVIDENCE
from keyaudit.model.results.findings import Outcome, PolicyText
from keyaudit.model.schema.columns import Table, Type
from keyaudit.model.schema.opens import ALWAYS
from keyaudit.model.severity import Opens, Severity, Weakness
from keyaudit.model.tables import TABLES
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.conditions.parameters import Parameter, declare
from keyaudit.policy.conditions.syntax import condition
from keyaudit.policy.conditions.types import Every, Term, columns_read, parameters_read
from keyaudit.policy.definition import Derived, Example, Policy, Rung
from keyaudit.policy.reading.declared_causes import causes, declared
from keyaudit.policy.reading.expressions import Worded, with_fixes
from keyaudit.policy.reading.guardrails import guardrails
from keyaudit.policy.reading.mappings import confined, frameworks, parts, profiles

T = TypeVar("T")

NEEDS = tuple(EVIDENCE)

REQUIRED = ("id", "title", "problem", "table", "violated_when", "message", "why", "fix", "references", "examples")
OPTIONAL = (
    "weakness",
    "weakness_when",
    "severity",
    "severity_when",
    "message_when",
    "fix_when",
    "subject",
    "applies_to",
    "parameters",
    "cause",
    "frameworks",
    "guardrails",
    "lessons",
    "needs",
    "given",
)
EXAMPLE = ("why", "expect", "weakness", "severity", "parameters")
ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
LESSON = re.compile(r"L[1-9]", re.ASCII)
_MAX_RUNGS = 8
_MAX_ARMS = 8
_MAX_PROBLEM = 60
"""The maximum length of `problem`, the name of a finding in tables and headings."""
_MAX_EXAMPLES = 200
_MAX_VARIED = 20
"""The maximum number of examples with parameters of their own, which are evaluated separately."""
_MAX_PARAMETERS = 50


def policy(document: Node, *, file: str, stem: str, source: str, ours: bool) -> tuple[Policy | None, list[Problem]]:
    """The policy in `document`, or its problems. `stem` is the file's name without `.yaml`, which must be the id.

    `ours`: it ships with keyaudit, and maps only to declared frameworks and controls.
    """
    reader = _Reader(file, source, ours=ours)
    if not isinstance(document, Members):
        reader.problem(document, "not a mapping of fields", "begin with id:")
        return None, reader.problems
    found = reader.policy(document, stem)
    return (None if reader.problems else found), reader.problems


class _Reader(Worded):
    """The reader of a policy file."""

    def __init__(self, file: str, source: str, *, ours: bool) -> None:
        super().__init__(file, source)
        self._ours = ours
        self._source = source

    def policy(self, document: Members, stem: str) -> Policy | None:
        self.members(document, REQUIRED, OPTIONAL, "every policy has one")
        fields = document.members
        self._identity(fields, stem)
        table = self._table(fields.get("table"))
        graded = self._graded(document, table)
        parameters = self._parameters(fields.get("parameters"))
        if table is None or graded is None:
            return None
        choices, weakness = graded
        applies_to = self.condition(fields.get("applies_to"), table, parameters)
        present = applies_to.facts.when_true if applies_to else frozenset[str]()
        violated_when = self.condition(fields.get("violated_when"), table, parameters, present)
        rungs = self._rungs(fields.get(f"{choices.__name__.lower()}_when"), choices, table, parameters, present)
        opens = opened(table) if choices is Weakness else ()
        mapped = fields.get("frameworks")
        controls = parts(self, mapped, lambda node: self.condition(node, table, parameters, present))
        there = present | (violated_when.facts.when_true if violated_when else frozenset())
        fix = self.fix(fields.get("fix"), table, parameters, there)
        arms, last = self.arms(fields.get("message_when"), table, parameters, there, fix)
        message = self.template(fields.get("message"), table, parameters, last)
        fixes = self.fixes(fields.get("fix_when"), table, parameters, there, fix)
        fixes += self.variants(fields.get("fix"), table, parameters, there)
        of = causes(self, fields.get("cause"), table, lambda node: self.condition(node, table, parameters, there))
        self._used(fields.get("parameters"), [applies_to, violated_when, *(rung.condition for rung in rungs)])
        text = PolicyText(
            id=stem,
            title=self.text(fields.get("title")),
            problem=self._problem(fields.get("problem")),
            # Of a weakness, the highest that a row can have.
            severity=Severity.INFO if choices is Weakness else Severity(weakness),
            weakness=weakness if choices is Weakness else "",
            table=table.name,
            why=self.text(fields.get("why")),
            fix={kind: template.readable for kind, template in fix.kinds.items()},
            steps=tuple({part: template.readable for part, template in step.items()} for step in fix.steps),
            references=self._texts(fields.get("references"), "references"),
            frameworks=frameworks(self, mapped, declared=self._ours),
            confined=confined(controls),
            guardrails=guardrails(self, fields.get("guardrails"), parameters),
            lessons=self._texts(fields.get("lessons"), "lessons", LESSON),
            needs=self._needs(fields.get("needs")),
            causes=declared(of),
            digest=hashlib.sha256(self._source.encode()).hexdigest(),
        )
        given = self._columns(fields.get("given"), table)
        examples = self._examples(fields.get("examples"), choices, table, parameters)
        subject = self._subject(fields.get("subject"), table)
        if message is None or violated_when is None:
            return None
        messages = tuple(with_fixes(arms, message, fixes))
        told = [(message, fix), *((arm.message, arm.how) for arm in messages)]
        texts = [text for message_, how in told for text in (message_, *how.templates)]
        self._evidence(fields, table, text.needs, [applies_to, violated_when, *(rung.condition for rung in rungs)])
        derived = Derived.of(table, weakness, applies_to, violated_when, rungs, opens=opens, texts=texts)
        return Policy(
            text=structs.replace(text, severity=derived.trees.top_severity) if choices is Weakness else text,
            derived=derived,
            subject=subject,
            applies_to=applies_to,
            violated_when=violated_when,
            weakness_when=tuple(rungs),
            parameters=parameters,
            message_when=messages,
            message=message,
            how=fix,
            given=given,
            examples=examples,
            causes=of,
            parts=controls,
            profiles=profiles(text.frameworks),
            file=self.file,
            source=self._source,
        )

    def _identity(self, fields: Mapping[str, Node], stem: str) -> None:
        node = fields.get("id")
        name = self.text(node)
        if node is not None and name and name != stem:
            self.problem(node, f"the id {shown(name)} is not the file's name {shown(stem)}", "rename one of them")
        elif node is not None and name and (ID.fullmatch(name) is None or len(name) > 64):
            self.problem(
                node, f"{shown(name)} cannot be an id", "lower-case words and digits joined by -, at most 64 characters"
            )
        title = fields.get("title")
        if isinstance(title, Scalar) and title.text.strip().lower().startswith("ensure"):
            self.problem(title, "the title begins with Ensure", "name the good state, as in: A key in use has an expiry")

    def _one_of(self, node: Node | None, choices: Callable[[str], T], noun: str) -> T | None:
        if node is None:
            return None
        text = node.text if isinstance(node, Scalar) else "a list or mapping"
        try:
            return choices(text)
        except ValueError:
            known: Iterable[str] = choices if isinstance(choices, type) else ()  # type: ignore[assignment]
            self.problem(node, f"no such {noun}: {shown(text)}", nearest(text, [str(choice) for choice in known]))
            return None

    def _table(self, node: Node | None) -> Table | None:
        if node is None:
            return None
        name = self.text(node)
        if name and name not in TABLES:
            self.problem(node, f"no such table: {shown(name)}", nearest(name, TABLES))
        return TABLES.get(name)

    def _subject(self, node: Node | None, table: Table) -> str:
        if node is None:
            return "id"
        name = self.text(node)
        column = table.by_name.get(name)
        if column is None or column.type is not Type.TEXT or column.absent or column.operations or column.needs:
            names = [
                each.name
                for each in table.columns
                if each.name.endswith("id") and not each.absent and not each.operations and not each.needs
            ]
            self.problem(node, f"{shown(name)} cannot be the subject", f"one of {', '.join(names)}")
        return name

    def _parameters(self, node: Node | None) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        entries = self.entries(node)
        if node is not None and len(entries) > _MAX_PARAMETERS:
            self.problem(node, f"more than {_MAX_PARAMETERS} parameters")
            return found
        for name, value in entries.items():
            try:
                found[name] = declare(name, value)
            except FieldError as error:
                self.problem(value, error.what, error.remedy)
        return found

    def _used(self, node: Node | None, conditions: Iterable[Condition | None]) -> None:
        checked = [condition for condition in conditions if condition is not None]
        used = parameters_read(*(condition.tree for condition in checked))
        if isinstance(node, Members) and not self.problems:
            for name, key in node.keys.items():
                if name not in used:
                    self.problem(key, f"no condition reads the parameter {name}", "leave it out")

    def _evidence(
        self, fields: Mapping[str, Node], table: Table, needs: Collection[str], conditions: Iterable[Condition | None]
    ) -> None:
        """Requires a declaration of the evidence that the policy depends on; otherwise it would be evaluated without it."""
        read = columns_read(*(condition.tree for condition in conditions if condition is not None))
        for need in dict.fromkeys((table.needs, *(table.by_name[name].needs for name in read))):
            if need and need not in needs:
                self.problem(
                    fields["violated_when"], f"it depends on {need}, which Azure does not provide", f"write needs: {need}"
                )

    def _graded(self, document: Members, table: Table | None) -> tuple[type[Weakness] | type[Severity], str] | None:
        """What the policy declares, a weakness or a fixed severity, and the one of rows without a condition of their own."""
        fields = document.members
        if "weakness" in fields and "severity" in fields:
            self.problem(fields["severity"], "a severity beside a weakness", "keep one: the severity follows from the weakness")
            return None
        if "weakness" not in fields and "severity" not in fields:
            self.problem(document, "neither weakness nor severity", "as in weakness: weak, or severity: medium for a fixed one")
            return None
        choices: type[Weakness] | type[Severity] = Weakness if "weakness" in fields else Severity
        name = choices.__name__.lower()
        other = "severity_when" if choices is Weakness else "weakness_when"
        if other in fields:
            self.problem(fields[other], f"{other} beside {name}", f"write {name}_when")
        if choices is Weakness and table is not None and not table.opens:
            self.problem(fields[name], f"nothing says what a row of {table.name} opens", "write severity: for a fixed one")
            return None
        found = self._one_of(fields[name], choices, name)
        return (choices, found) if found else None

    def _graded_as(self, item: Members, choices: type[Weakness] | type[Severity]) -> str | None:
        """What an example expects, in the terms of its policy."""
        name, other = ("weakness", "severity") if choices is Weakness else ("severity", "weakness")
        if other in item.members:
            self.problem(item.keys[other], f"a {other} in an example of a policy with a {name}", f"write {name}")
        return self._one_of(item.members.get(name), choices, name)

    def _rungs(
        self,
        node: Node | None,
        choices: type[Weakness] | type[Severity],
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
    ) -> list[Rung]:
        noun = choices.__name__.lower()
        rungs: list[Rung] = []
        for item in self.items(node):
            if not isinstance(item, Members) or len(item.members) != 1:
                self.problem(item, f"not one {noun} with its condition", f"as in - {[*choices][3]}: \"'sign' in key_ops\"")
                continue
            (name,) = item.members
            found = self._one_of(item.keys[name], choices, noun)
            checked = self.condition(item.members[name], table, parameters, present)
            if found and checked:
                rungs.append(Rung(found, checked))
        if node is not None and len(rungs) > _MAX_RUNGS:
            self.problem(node, f"more than {_MAX_RUNGS} conditions")
        return rungs

    def _problem(self, node: Node | None) -> str:
        text = self.text(node)
        if node is not None and (len(text) > _MAX_PROBLEM or text.endswith(".")):
            remedy = f"a noun phrase of at most {_MAX_PROBLEM} characters, as in: Key without an expiration date"
            self.problem(node, f"{shown(text)} cannot name a finding", remedy)
        return text

    def _texts(self, node: Node | None, name: str, form: re.Pattern[str] | None = None) -> tuple[str, ...]:
        found = []
        for item in self.items(node):
            text = self.text(item)
            if form is not None and text and form.fullmatch(text) is None:
                self.problem(item, f"{shown(text)} is not one of {name}")
            found.append(text)
        if node is not None and not found:
            self.problem(node, f"no {name}", "name at least one" + ("" if name in REQUIRED else ", or leave the field out"))
        return tuple(found)

    def _needs(self, node: Node | None) -> tuple[str, ...]:
        items = self.items(node) if isinstance(node, Items) else [node] if node is not None else []
        names = tuple(self.text(item) for item in items)
        for item, name in zip(items, names, strict=True):
            if name not in NEEDS:
                self.problem(item, f"no such evidence: {shown(name)}", nearest(name, NEEDS))
        return names

    def _columns(self, node: Node | None, table: Table, besides: Iterable[str] = ()) -> dict[str, Node]:
        """Values of columns for an example, which are parsed when the examples are run."""
        found: dict[str, Node] = {}
        if not isinstance(node, Members):
            self.entries(node)
            return found
        for name, value in node.members.items():
            if name in besides:
                continue
            if name not in table.by_name:
                self.problem(node.keys[name], f"no such column: {shown(name)}", nearest(name, [*table.by_name, *besides]))
            found[name] = value
        return found

    def _too_many(self, node: Node, examples: Sequence[Node]) -> bool:
        varied = sum(isinstance(item, Members) and "parameters" in item.members for item in examples)
        if len(examples) > _MAX_EXAMPLES:
            self.problem(node, f"more than {_MAX_EXAMPLES} examples", "keep those that some mutant needs")
        elif varied > _MAX_VARIED:
            self.problem(node, f"more than {_MAX_VARIED} examples with parameters of their own")
        return len(examples) > _MAX_EXAMPLES or varied > _MAX_VARIED

    def _examples(
        self, node: Node | None, choices: type[Weakness] | type[Severity], table: Table, parameters: Collection[str]
    ) -> tuple[Example, ...]:
        found: list[Example] = []
        items = self.items(node)
        if node is None or self._too_many(node, items):
            return ()
        for item in items:
            if not isinstance(item, Members):
                self.problem(item, "not an example", "as in {why: on the day, expect: pass}")
                continue
            for name in ("why", "expect"):
                if name not in item.members:
                    self.problem(item, f"an example without {name}")
            expect = self._one_of(item.members.get("expect"), Outcome, "outcome")
            weakness = self._graded_as(item, choices)
            changes = self._columns(item, table, EXAMPLE)
            others = self.entries(item.members.get("parameters"))
            for name, value in others.items():
                if name not in parameters:
                    self.problem(value, f"no such parameter: {shown(name)}", nearest(name, parameters))
            why = self.text(item.members.get("why"))
            if expect is Outcome.WAIVED:
                self.problem(item.members["expect"], "an example cannot have a waiver", "expect fail")
            elif expect is not None:
                found.append(Example(why, expect, weakness, changes, others, item.line, item.column))
        return tuple(found)


def opened(table: Table) -> tuple[tuple[Opens, Term], ...]:
    """What a row of the table opens, from above; a condition without terms is that of every row."""
    return _opened(table.name)


@cache
def _opened(name: str) -> tuple[tuple[Opens, Term], ...]:
    return tuple(
        (opens, Every(()) if text == ALWAYS else condition(text, TABLES[name], {}).tree)
        for opens, text in TABLES[name].opens.items()
    )
