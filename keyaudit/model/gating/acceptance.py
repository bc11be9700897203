"""What a run accepts: the findings and gaps that do not fail its gate."""

from msgspec import Struct

from keyaudit.model.gating.allowances import Allowance
from keyaudit.model.gating.baseline import Baseline
from keyaudit.model.gating.waivers import Waiver


class Acceptance(Struct, frozen=True, kw_only=True):
    """The waivers, baseline and allowances of a run."""

    waivers: tuple[Waiver, ...] = ()
    """Every waiver, expired ones too."""
    baseline: Baseline | None = None
    new_only: bool = False
    """Whether findings in the baseline do not fail the gate."""
    allowances: tuple[Allowance, ...] = ()
    """Each --allow-gap."""

    def holding(self, as_of: int, *, coverage: bool) -> tuple[Waiver, ...]:
        """The unexpired waivers of gaps in coverage, or else of findings."""
        return tuple(each for each in self.waivers if each.covers_coverage is coverage and not each.expired(as_of))


NOTHING_ACCEPTED = Acceptance()
