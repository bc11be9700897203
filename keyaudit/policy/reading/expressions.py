"""Reads the conditions of a policy file, its messages, and its fixes."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from keyaudit.model.documents.nodes import Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, Problem, nearest, shown
from keyaudit.model.documents.reader import Reader
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.results.fixes import COMMANDS, FIRST, PARTS, takes_away
from keyaudit.model.schema.columns import Table
from keyaudit.model.values.text import listed
from keyaudit.policy.conditions.narrowing import Condition
from keyaudit.policy.conditions.parameters import Parameter
from keyaudit.policy.conditions.syntax import condition
from keyaudit.policy.conditions.types import Every
from keyaudit.policy.definition import NO_FIX, Arm, Fix
from keyaudit.policy.reading.placeholders import template
from keyaudit.policy.reading.shared_steps import STEPS, USE, VARIANTS
from keyaudit.policy.templates import QUOTING, Template

_MAX_ARMS = 9
MAX_STEPS = 6
"""The maximum number of steps of a fix."""
_OF_TAKING = ("before", "breaks", "check", "back")
"""What a step says besides its text, if its command takes something away."""


class Worded(Reader):
    """The reader of what is asked of a row, said of it, and done about it."""

    def __init__(self, file: str, source: str) -> None:
        super().__init__(file, YAML)
        self._lines = source.split("\n")

    def condition(
        self, node: Node | None, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str] = frozenset()
    ) -> Condition | None:
        """The checked condition, where these columns are `present`; None if there is none, or a problem."""
        if node is None:
            return None
        text = self.text(node)
        if not text or not isinstance(node, Scalar):
            return None
        try:
            return condition(node.text, table, parameters, present)
        except FieldError as error:
            self.problems.append(self._quoted(node, error))
            return None

    def _quoted(self, node: Scalar, error: FieldError) -> Problem:
        """The problem with the condition below it, and its exact place if the text is on one line."""
        text = node.text.replace("\n", " ").strip()
        column = node.column
        at = max(error.at, 0)
        for start in (node.column - 1, node.column):
            if self._lines[node.line - 1].startswith(text, start):
                column = start + 1 + at
                break
        quote, caret = (text, error.at) if text.isprintable() else ("", -1)
        return Problem(
            file=self.file, line=node.line, column=column, what=error.what, remedy=error.remedy, quote=quote, caret=caret
        )

    def arms(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        base: Fix,
    ) -> tuple[list[Arm], frozenset[str]]:
        """The messages with a condition, and the columns that are present if none of these conditions is true.

        `base`: the policy's fix.
        """
        arms: list[Arm] = []
        for item in self.items(node):
            if not isinstance(item, Members) or set(item.members) - {"fix"} != {"when", "message"}:
                self.problem(item, "not a message with its condition", "as in - {when: created_on is None, message: ...}")
                continue
            checked = self.condition(item.members["when"], table, parameters, present)
            here = present | (checked.facts.when_true if checked else frozenset())
            message = self.template(item.members["message"], table, parameters, here)
            self._check_one_command(item.members.get("fix"))
            fix = self.fix(item.members.get("fix"), table, parameters, here, base)
            if checked and message:
                arms.append(Arm(checked, message, fix))
                present |= checked.facts.when_false
        if node is not None and len(arms) > _MAX_ARMS:
            self.problem(node, f"more than {_MAX_ARMS} messages")
        return arms, present

    def fixes(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        base: Fix,
    ) -> list[tuple[Condition, Fix]]:
        """The fixes with a condition; `base` as in `arms`."""
        found = []
        for item in self.items(node):
            if not isinstance(item, Members) or set(item.members) != {"when", "fix"}:
                self.problem(item, "not a fix with its condition", 'as in - {when: kind == "password", fix: {cli: ...}}')
                continue
            checked = self.condition(item.members["when"], table, parameters, present)
            here = present | (checked.facts.when_true if checked else frozenset())
            fix = self.fix(item.members["fix"], table, parameters, here, base)
            if checked:
                found.append((checked, fix))
                present |= checked.facts.when_false
        if node is not None and len(found) > _MAX_ARMS:
            self.problem(node, f"more than {_MAX_ARMS} fixes")
        return found

    def variants(
        self, node: Node | None, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str]
    ) -> list[tuple[Condition, Fix]]:
        """The policy's fix, where shared steps have another command for some rows: each with its condition. The first that is
        true counts. A step with a command of its own has no other one.
        """
        steps = node.members.get("steps") if isinstance(node, Members) and not self.problems else None
        used = [step.members for step in self.items(steps) if isinstance(step, Members)]
        names = [self.text(step[USE]) for step in used if USE in step and not step.keys() & set(COMMANDS)]
        found = []
        for text in dict.fromkeys(when for name in names for when, _ in VARIANTS.get(name, ())):
            checked = condition(text, table, parameters, present)
            made = self._steps(steps, table, parameters, present | checked.facts.when_true, text) if steps else ()
            found.append((checked, Fix.of(made)))
            present |= checked.facts.when_false
        return found

    def _check_one_command(self, node: Node | None) -> None:
        """The fix of a message has no variants: a shared step that has some needs the command of the message's rows."""
        steps = node.members.get("steps") if isinstance(node, Members) else None
        for step in self.items(steps):
            if isinstance(step, Members) and USE in step.members and not step.members.keys() & set(COMMANDS):
                name = self.text(step.members[USE])
                if name in VARIANTS:
                    what = f"step {name} has a different command for other rows, but a message's fix has only one"
                    self.problem(step.members[USE], what, "give the step the command for the rows of this message")

    def template(
        self, node: Node | None, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str]
    ) -> Template | None:
        """The text with its fields; None if there is none, or a problem."""
        text = self.text(node)
        if node is None or not text:
            return None
        try:
            return template(text, table.by_name, parameters, present)
        except FieldError as error:
            self.problem(node, error.what, error.remedy)
            return None

    def fix(
        self,
        node: Node | None,
        table: Table,
        parameters: Mapping[str, Parameter],
        present: frozenset[str],
        base: Fix = NO_FIX,
    ) -> Fix:
        """A fix by kind, or in steps.

        With a `base` of steps, a command without a text, or one that takes something away, replaces that of a step.
        """
        if node is not None and not isinstance(node, Members):
            self.problem(node, "fix is not a mapping", f"by kind: {', '.join(QUOTING)}; or steps")
            return NO_FIX
        if node is not None and not node.members:
            self.problem(node, "no remedy in fix", "say how to fix it")
        members = self.entries(node)
        if "steps" in members:
            for name in members.keys() - {"steps"}:
                self.problem(members[name], f"a fix with steps has no {shown(name)} of its own", "put it into a step")
            return Fix.of(self._steps(members["steps"], table, parameters, present))
        found = self._by_kind(members, table, parameters, present)
        if node is not None and base.steps and (_taking(found) or (found and FIRST not in found)):
            return Fix.of(self._instead(node, found, base.steps))
        text = base.kinds.get(FIRST)
        for kind, command in found.items():
            if takes_away(command.readable) and text is None and FIRST not in members:
                what = "removes something, but no text says what must be done first"
                self.problem(members[kind], what, "add a text")
        return Fix({FIRST: text, **found} if found and text else found)

    def _by_kind(
        self, members: Mapping[str, Node], table: Table, parameters: Mapping[str, Parameter], present: frozenset[str]
    ) -> dict[str, Template]:
        found: dict[str, Template] = {}
        for kind, value in members.items():
            if kind not in QUOTING:
                self.problem(value, f"no such kind of fix: {shown(kind)}", nearest(kind, [*QUOTING, "steps"]))
            template = self.template(value, table, parameters, present)
            if template is not None:
                found[kind] = template
        return found

    def _instead(
        self, node: Node, found: Mapping[str, Template], steps: Sequence[Mapping[str, Template]]
    ) -> Sequence[Mapping[str, Template]]:
        """The steps with the commands found in place of those that do the same, and the text found in the first step."""
        taking = _taking(found)
        alike = [number for number, step in enumerate(steps) if _commands(step) and _taking(step) is taking]
        made = [dict(step) for step in steps]
        if alike:
            number = alike[-1] if taking else alike[0]
            made[number] = {part: text for part, text in made[number].items() if part not in COMMANDS} | _commands(found)
        else:
            self.problem(node, "no step of the policy's fix has such a command", "give it its own steps")
        made[0] |= {part: text for part, text in found.items() if part not in COMMANDS}
        self._check_steps(node, made)
        return [_in_order(step) for step in made]

    def _steps(
        self, node: Node, table: Table, parameters: Mapping[str, Parameter], present: frozenset[str], when: str = ""
    ) -> tuple[Mapping[str, Template], ...]:
        """The steps; `when`: the condition of the shared ones that have a variant."""
        steps: list[Mapping[str, Template]] = []
        items = self.items(node)
        for item in items:
            if not isinstance(item, Members) or not {FIRST, USE} & item.members.keys():
                self.problem(item, "not a step with a text", "as in {text: ..., cli: ..., check: ...}")
                continue
            for name in item.members.keys() - {*PARTS, USE}:
                self.problem(item.keys[name], f"no such part of a step: {shown(name)}", nearest(name, [*PARTS, USE]))
            own = {part: item.members[part] for part in PARTS if part in item.members}
            read = ((part, self.template(own[part], table, parameters, present)) for part in own)
            parts = {part: text for part, text in read if text is not None}
            for part, text in self._shared(item.members.get(USE), own, when).items():
                try:
                    parts[part] = template(text, table.by_name, parameters, present)
                except FieldError as error:
                    name = self.text(item.members[USE])
                    self.problem(item.members[USE], f"step {name} is not for table {table.name}: {error.what}", error.remedy)
                    break
            steps.append(_in_order(parts))
        if not 2 <= len(items) <= MAX_STEPS:
            self.problem(node, f"{len(items)} steps", f"2 to {MAX_STEPS}; one step is a fix by kind")
        self._check_steps(node, steps)
        return tuple(steps)

    def _shared(self, node: Node | None, own: Collection[str], when: str) -> dict[str, str]:
        """The parts of the shared step with that name, without those that the step has itself; `when`: as in `_steps`."""
        name = self.text(node)
        if node is None or not name:
            return {}
        if name not in STEPS:
            self.problem(node, f"no such step: {shown(name)}", nearest(name, STEPS))
            return {}
        every = {**STEPS[name], **dict(VARIANTS.get(name, ())).get(when, {})}
        return {part: text for part, text in every.items() if part not in own}

    def _check_steps(self, node: Node, steps: Sequence[Mapping[str, Template]]) -> None:
        """A command that takes something away is not the first step, and its step says when it may be run and what it does."""
        for number, step in enumerate(steps, start=1):
            if not _taking(step):
                continue
            if number == 1:
                self.problem(node, "the first step removes something", "start with its replacement, or with data to preserve")
                continue
            lacking = [part for part in _OF_TAKING if part not in step]
            if lacking:
                self.problem(node, f"step {number} removes something, but has no {listed(lacking)}", "add it")


def _in_order(step: Mapping[str, Template]) -> Mapping[str, Template]:
    return {part: step[part] for part in PARTS if part in step}


def _commands(step: Mapping[str, Template]) -> dict[str, Template]:
    return {kind: text for kind, text in step.items() if kind in COMMANDS}


def _taking(step: Mapping[str, Template]) -> bool:
    """Whether one of its commands takes something away."""
    return any(takes_away(command.readable) for command in _commands(step).values())


def with_fixes(arms: Sequence[Arm], message: Template, fixes: Sequence[tuple[Condition, Fix]]) -> Iterator[Arm]:
    """The messages with their own fix, or with the fix whose condition holds, too. The last message is without condition."""
    for arm in arms:
        if not arm.fix:
            yield from (Arm(_both(arm.condition, condition), arm.message, fix) for condition, fix in fixes)
        yield arm
    yield from (Arm(condition, message, fix) for condition, fix in fixes)


def _both(first: Condition, later: Condition) -> Condition:
    tree = Every((first.tree, later.tree))
    return Condition(f"({first.text}) and ({later.text})", tree, first.facts.and_(later.facts))
