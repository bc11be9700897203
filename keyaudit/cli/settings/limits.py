"""The limits in force: flags first, then `keyaudit.toml`, then defaults."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from keyaudit.cli.options import Choice, Live, settings_file
from keyaudit.model.documents.problems import nearest, shown
from keyaudit.model.errors import SettingsError, UsageError
from keyaudit.model.evidence import REQUIRABLE, required
from keyaudit.model.gating.expectations import NOTHING, Expectations
from keyaudit.policy.evaluation.binding import Bound, bind
from keyaudit.policy.load import Policy
from keyaudit.policy.settings import Judging, Overrides, PolicyClass
from keyaudit.policy.settings import mistakes as mistakes_in

if TYPE_CHECKING:
    from keyaudit.cli.settings.config import Config


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of policies, and the columns that are not required."""

    profile: str
    parameters: Overrides
    classes: tuple[PolicyClass, ...]
    require: tuple[str, ...]
    expected: Expectations
    tag_labels: tuple[str, ...]
    """The tags that metrics have as labels."""

    def judging(self, policies: Sequence[Policy], as_of: int) -> Judging:
        """The settings to evaluate these policies with at that moment."""
        return Judging(
            as_of=as_of,
            profile=self.profile,
            overrides=self._overrides(policies),
            classes=self.classes,
            require=self.require,
        )

    def bound(self, policies: Sequence[Policy]) -> tuple[Bound, ...]:
        """These policies with their limits."""
        return bind(policies, self.profile, self._overrides(policies), self.classes)

    def _overrides(self, policies: Sequence[Policy]) -> Overrides:
        chosen = {policy.text.id for policy in policies}
        return {name: given for name, given in self.parameters.items() if name in chosen}


def settled(live: Live, choice: Choice, known: Sequence[Policy]) -> Limits:
    """The limits for all policies, selected or not. Raises UsageError if they contradict each other or name nothing known.

    For a simulated tenant the folder's file, which is about a real one, is not read unless --config names it.
    """
    whole, mistakes = _of_file(live)
    config = whole.policy if whole else None
    found = Limits(
        profile=choice.profile or (config and config.profile) or "default",
        parameters=config.parameters if config else {},
        classes=config.classes if config else (),
        require=required((*_named(choice.require or ()), *(config.require if config else ()))),
        expected=whole.expected if whole else NOTHING,
        tag_labels=whole.tag_labels if whole else (),
    )
    all_mistakes = [*mistakes, *_mistakes(found, {policy.text.id: policy for policy in known})]
    if all_mistakes:
        raise SettingsError(all_mistakes)
    return found


def _mistakes(limits: Limits, known: Mapping[str, Policy]) -> Iterator[UsageError]:
    yield from mistakes_in(limits.parameters, limits.classes, known)
    for policy in known.values():
        try:
            limits.bound([policy])
        except UsageError as error:
            yield error
            if error.place == f"profile {limits.profile}":
                return


def _of_file(live: Live) -> "tuple[Config | None, Sequence[UsageError]]":
    """The content of the configuration file and its errors; None without a file."""
    file = settings_file(live)
    if file is None:
        return None, ()
    from keyaudit.cli.settings.config import read_with_mistakes

    return read_with_mistakes(file)


def _named(given: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for text in given for name in text.split(",")]
    for name in names:
        if name not in REQUIRABLE:
            raise UsageError("--require", f"no such evidence: {shown(name)}", nearest(name, REQUIRABLE))
    return tuple(names)
