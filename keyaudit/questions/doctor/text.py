"""The examination for people: a line for each requirement, and below it the failures with their fix."""

from collections.abc import Iterator
from typing import TextIO

from msgspec import Struct, structs

from keyaudit.model.gating.expectations import RELATIVE
from keyaudit.model.operations.kinds import KEY_VAULT_ARM
from keyaudit.model.reasons import OPTIONAL
from keyaudit.model.results.run import MAX_SKEW, Run
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.questions.doctor.examine import Examination, Examined
from keyaudit.report.lines import Paint, columns, joined, listed, pad, paint, parted, plural, wrap
from keyaudit.report.missing import alike, not_judged, remedied
from keyaudit.report.options import Options
from keyaudit.report.owner_rules import sentence
from keyaudit.report.summary import SIMULATED, ended, network

_STATE = 10
_NAMES = 8
_OK, _PARTLY, _BLIND, _LACKING, _FAIL = "ok", "partly", "not read", "not here", "fail"
_PAINT = {_OK: Paint.FINE, _PARTLY: Paint.WARN, _BLIND: Paint.ALARM, _LACKING: Paint.CALM, _FAIL: Paint.ALARM}


_RETIRING = (
    f"those before {KEY_VAULT_ARM} of the API that manages vaults end on 27 February 2027, and keyaudit sends {KEY_VAULT_ARM}; "
    "the Azure CLI before 2.90.0, Az.KeyVault before 6.6.0 and azurerm before 4.81 can no longer manage vaults then"
)
"""https://learn.microsoft.com/azure/key-vault/general/access-control-default, https://github.com/Azure/azure-cli/issues/34020,
https://github.com/Azure/azure-powershell/issues/30098; azurerm: the import in key_vault_resource.go at v4.81.0
"""


class _Page(Struct, frozen=True):
    width: int
    colour: bool
    names: int
    """The width of names in columns."""


def render(found: Examination, out: TextIO, options: Options) -> None:
    """Write it."""
    page = _Page(options.page, options.colour, max((columns(surface.name) for surface in found.surfaces), default=0))
    if found.run.simulated:
        out.write(joined([paint(SIMULATED, Paint.BOLD, options.colour)]))
    narrow = structs.replace(page, names=_NAMES)
    out.writelines(joined(_line(state, name, said, narrow)) for state, name, said in _run(found))
    out.writelines(joined(_surface(surface, page)) for surface in found.surfaces)
    out.write(joined(["", *_closing(found, page)]))


def _run(found: Examination) -> Iterator[tuple[str, str, str]]:
    run = found.run
    selected = len(found.policies) + len(found.verdict.not_judged)
    yield _OK, "keyaudit", f"{run.tool_version}, {plural(selected, 'policy', 'policies')} selected"
    yield _OK, "identity", one_line(run.identity)
    tenant = f"{run.tenant_name}, {run.tenant_id}" if run.tenant_name else run.tenant_id
    yield _OK, "tenant", f"{one_line(tenant)}, in the cloud {one_line(run.environment)}"
    clock, *rest = _network(run)
    late = run.skew is not None and abs(run.skew) > MAX_SKEW
    yield (_FAIL if late else _OK), "clock", clock.removeprefix("clock: ")
    yield _OK, "network", "; ".join(rest) or "no proxy; the certificate authorities of this machine"
    yield _OK, "versions", _RETIRING
    yield _OK, "as of", times.iso_time(run.as_of)
    yield _OK, "coverage", "compared with [expect] in the configuration" if found.verdict.expected else RELATIVE


def _network(run: Run) -> list[str]:
    found = list(network(run))
    return found if run.skew is not None else ["no response had a date to compare with", *found]


def _surface(surface: Examined, page: _Page) -> Iterator[str]:
    yield from _line(_state(surface), surface.name, f"{surface.done:,} of {surface.reads:,} reads", page)
    for same in alike(surface.gaps):
        yield from remedied(same, page.width, named=True)


def _state(surface: Examined) -> str:
    if all(gap.reason in OPTIONAL for gap in surface.gaps):
        return _LACKING if surface.gaps and not surface.done else _OK
    return _PARTLY if surface.done else _BLIND


def _line(state: str, name: str, said: str, page: _Page) -> list[str]:
    word = f"[{state}]"
    begin = f"{pad(word, _STATE)}  {pad(name, page.names)}  "
    first, *more = wrap(said, page.width, begin, " " * (_STATE + page.names + 4))
    return [paint(word, _PAINT[state], page.colour) + first[len(word) :], *more]


def _closing(found: Examination, page: _Page) -> list[str]:
    blind = [policy for policy, surfaces in found.policies.items() if surfaces]
    count = plural(len(found.policies), "policy", "policies")
    said = f"{len(found.policies) - len(blind):,} of {count} can be evaluated in full."
    if blind:
        said += f" Affected by gaps: {listed(blind)}."
    lacking = not_judged(found.verdict, page.width)
    owners = wrap(sentence(found.unowned), page.width) if found.unowned.without else []
    return parted(wrap(said, page.width), owners, lacking, ended(found.verdict, page.width, page.colour))
