"""Redacts the settings of a run and an organisation's own policies."""

import re
from collections.abc import Sequence

from msgspec.structs import replace

from keyaudit.cloud.environment import ENVIRONMENTS
from keyaudit.model.frameworks import FRAMEWORKS
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.results.findings import PolicyText
from keyaudit.model.results.settings import ClassInForce, InForce, KnownPolicy, Limit, PolicyInForce, Setting
from keyaudit.model.tables import TABLES
from keyaudit.report.redact.pseudonyms import Pseudonyms

_NUMBER = re.compile(r"(?:([a-z0-9_-]+) )?-?[\d,]+(?: (?:days?|hours?|minutes?|seconds?))?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_VALUES = frozenset(value for table in TABLES.values() for column in table.columns for value in column.values)


class Settings:
    """Redacts the settings of one run with one key."""

    def __init__(self, names: Pseudonyms, settled: InForce, policies: Sequence[KnownPolicy | PolicyInForce]) -> None:
        self._names, self._settled = names, settled
        self._shipped = frozenset(each.text.id for each in policies if each.shipped)
        self._texts: dict[str, PolicyText] = {}
        limits = (*settled.limits, *(limit for each in settled.classes for limit in each.limits))
        said = {limit.value: self._value(limit.value) for limit in limits}
        said |= {f"(class {each.name})": f"(class {names.name('class', each.name)})" for each in settled.classes}
        # The longest first, because one may contain another.
        changing = ((text, other) for text, other in said.items() if text and text != other)
        self._said = sorted(changing, key=lambda pair: (-len(pair[0]), pair[0]))

    def cloud(self, name: str) -> str:
        """The name of a cloud; Azure's own stay."""
        return name if name in ENVIRONMENTS else self._names.name("cloud", name)

    def said(self, text: str) -> str:
        """A text of ours that may contain values of settings, and names of classes."""
        for found, other in self._said:
            text = text.replace(found, other)
        return text

    def id(self, policy: str) -> str:
        """The id of a policy; shipped policies keep theirs."""
        return policy if policy in self._shipped else self._names.name("policy", policy)

    def ours(self, pattern: Glob) -> bool:
        """Whether a pattern over policy ids contains only ids of shipped policies."""
        return pattern.text == "*" or any(map(pattern.matches, self._shipped))

    def text(self, policy: PolicyText) -> PolicyText:
        """A policy; of the organisation's own only table, severity and the controls of declared frameworks."""
        if policy.id in self._shipped:
            return policy
        if policy.id not in self._texts:
            name = self.id(policy.id)
            mapped = {
                key: tuple(filter(FRAMEWORKS[key].knows, ids)) for key, ids in policy.frameworks.items() if key in FRAMEWORKS
            }
            own = replace(
                policy,
                id=name,
                title=name,
                problem=name,
                why="",
                fix={},
                steps=(),
                references=(),
                frameworks=mapped,
                lessons=(),
                causes=(),
            )
            self._texts[policy.id] = own
        return self._texts[policy.id]

    def policy(self, policy: PolicyInForce) -> PolicyInForce:
        """The same with its limits, without the text of the organisation's own."""
        if not policy.shipped:
            return replace(policy, text=self.text(policy.text), source="", parameters={})
        set_ = {limit.parameter for limit in self._settled.limits if limit.policy == policy.text.id}
        parameters = {
            name: Setting(self._value(each.value), self._names.name("file", each.origin)) if name in set_ else each
            for name, each in policy.parameters.items()
        }
        return replace(policy, parameters=parameters)

    def in_force(self) -> InForce:
        """The settings in force."""
        return replace(
            self._settled,
            limits=tuple(map(self._limit, self._settled.limits)),
            classes=tuple(map(self._class, self._settled.classes)),
        )

    def _class(self, each: ClassInForce) -> ClassInForce:
        return replace(
            each,
            name=self._names.name("class", each.name),
            match=self._names.name("match", each.match),
            reason=self._names.name("reason", each.reason),
            place=self._names.name("file", each.place),
            limits=tuple(map(self._limit, each.limits)),
            not_applicable=tuple(map(self.id, each.not_applicable)),
        )

    def _limit(self, limit: Limit) -> Limit:
        place = self._names.name("file", limit.place)
        return replace(limit, policy=self.id(limit.policy), value=self._value(limit.value), place=place)

    def _value(self, value: str) -> str:
        """Numbers and durations stay, alone or for a declared value."""
        plain = all(
            (found := _NUMBER.fullmatch(part)) and (not found[1] or self._declared(found[1])) for part in value.split(", ")
        )
        return value if plain else self._names.name("limit", value)

    @staticmethod
    def _declared(word: str) -> bool:
        return word in _VALUES or word == "otherwise" or _DATE.fullmatch(word) is not None
