"""A report for readers outside the organisation: names, ids and all text of the tenant become pseudonyms; results stay.

A closed list stays: dates, sizes, numbers, booleans, declared enumerations, Azure's own words (regions, log categories,
built-in roles and permissions), shipped policies, reasons and fixes. Any other column is a pseudonym. Counts, severities,
outcomes and the verdict are unchanged.

`LIMITS`, which `keyaudit explain redaction` prints, says what such readers can still find out.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.gating.baseline import Baseline
from keyaudit.model.gating.waivers import Glob, Use, Waiver
from keyaudit.model.identity import parsed
from keyaudit.model.reasons import Reason
from keyaudit.model.results.causes import Cause, Causes, Member
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, PolicyText, Tally, Value
from keyaudit.model.results.listing import Listing
from keyaudit.model.results.planned import PlannedAt
from keyaudit.model.results.run import Gap, Report, Run, UnderProfile, Verdict
from keyaudit.model.results.tier0 import Tier0
from keyaudit.model.scope.environments import EnvironmentRule
from keyaudit.model.scope.filters import Filters
from keyaudit.model.scope.part import KINDS, Part
from keyaudit.model.severity import Severity
from keyaudit.model.tables import TABLES
from keyaudit.report.redact.pseudonyms import Pseudonyms
from keyaudit.report.redact.rows import Rows
from keyaudit.report.redact.settings import Settings

LIMITS = """\
With --redact names every name, id, address, tag value, owner and comment of the
tenant is replaced by a pseudonym, the same in every format and in every run, so
that files can be joined by it. Dates, sizes, algorithms, regions, policies,
severities and counts stay, and so do common names of environments (prod, test).

Pseudonyms are made with a key (HMAC-SHA-256). Without --redact-salt the key is
the tenant id. Anyone can look that up for a domain, and then try names: "is
vault-7f3a91c2d04e the vault kv-prod?" has a sure answer. This protects names
from a casual reader only. With --redact-salt FILE the key is the content of the
file, at least 16 bytes; openssl rand -hex 32 creates one. Nobody can try names
without it. Keep the file secret, and use it each time, so that a resource keeps
its pseudonym.

Even so, what stays can identify a resource. The dates of a public certificate
are in public logs, to the second, beside its name. A rare region, date or
number of resources is unique. A reader who knows a part of the tenant
recognizes it by its dates, and then knows the pseudonyms beside it. Rows keep
the order of their real names. The id of the run stays.

The texts of your own policies, file names, and the details of gaps beyond a
code are left out.
"""

_CODE = re.compile(r"[A-Za-z]{1,60}[0-9]{0,8}", re.ASCII)
_NETWORK = frozenset({"proxy", "ca_file", "no_proxy"})
_SCOPES = {ScopeKind.TENANT: "tenant", ScopeKind.SUBSCRIPTION: "subscription"}


def redacted(report: Report, key: bytes) -> Report:
    """The report with pseudonyms of that key, streamed like the original."""
    return _Redaction(report, Pseudonyms(key)).report()


class _Redaction:
    def __init__(self, report: Report, names: Pseudonyms) -> None:
        self._report, self._names = report, names
        self._rows = Rows(names)
        self._catalogue = report.catalogue()
        self._settings = Settings(names, report.settings, [*self._catalogue, *report.policies])

    def report(self) -> Report:
        report = self._report
        return replace(
            report,
            run=self._run(report.run),
            verdict=self._verdict(report.verdict),
            tallies=self._tallies(report.tallies),
            causes=lambda: self._causes(report.causes()),
            first=lambda: [
                replace(each, owner=self._owner(each.owner), finding=self._finding(each.finding)) for each in report.first()
            ],
            tier0=self._tier0,
            findings=lambda passes: map(self._finding, report.findings(passes)),
            owned=lambda passes: self._owned(report.owned(passes)),
            listing=self._listing,
            settings=self._settings.in_force(),
            policies=tuple(map(self._settings.policy, report.policies)),
            catalogue=lambda: [replace(each, text=self._settings.text(each.text)) for each in self._catalogue],
            under=self._under,
            apart=lambda passes: self._owned(report.apart(passes)),
            then=self._then(report.then) if report.then is not None else None,
        )

    def _tier0(self) -> Tier0 | None:
        found = self._report.tier0()
        return found and replace(
            found, named=tuple(replace(each, name=self._names.text("app", each.name)) for each in found.named)
        )

    def _under(self, profile: str) -> UnderProfile:
        found = self._report.under(profile)
        return replace(
            found,
            tallies=self._tallies(found.tallies),
            owned=lambda passes: self._owned(found.owned(passes)),
        )

    def _tallies(self, tallies: Iterable[Tally]) -> tuple[Tally, ...]:
        return tuple(replace(tally, policy=self._settings.text(tally.policy)) for tally in tallies)

    def _owned(self, owned: Iterable[tuple[Owner, Finding]]) -> Iterator[tuple[Owner, Finding]]:
        return ((self._owner(owner), self._finding(finding)) for owner, finding in owned)

    def _run(self, run: Run) -> Run:
        names = self._names
        return replace(
            run,
            tenant_id=names.text("tenant", run.tenant_id),
            tenant_name=names.name("tenant", run.tenant_name),
            environment=self._settings.cloud(run.environment),
            identity=self._identity(run.identity),
            network={
                name if name in _NETWORK else names.name("setting", name): names.name("address", value)
                for name, value in run.network.items()
            },
            filters=self._filters(run.filters),
            environment_rules=tuple(map(self._rule, run.environment_rules)),
        )

    def _filters(self, filters: Filters) -> Filters:
        hidden = {
            name: tuple(self._names.text("filter", each) for each in getattr(filters, name))
            for name in (*_FILTERS, *(KINDS if isinstance(filters, Part) else ()))
        }
        made = replace(filters, **hidden)
        if not isinstance(filters, Part):
            return made
        left_out = {name and self._rows.environment(name): count for name, count in filters.left_out.items()}
        return replace(made, read=self._filters(filters.read), left_out=left_out)

    def _rule(self, rule: EnvironmentRule) -> EnvironmentRule:
        environment = self._rows.environment(rule.environment)
        name = self._rows.environment(rule.pattern) if rule.of == "name" else self._names.text(rule.of, rule.pattern)
        return replace(rule, pattern=name, environment=environment)

    def _identity(self, identity: str) -> str:
        """ "person-04be... (Azure CLI)", "application 7f3a... (environment)": the sign-in method identifies nobody."""
        who = parsed(identity)
        if who.kind:
            name = f"{self._names.name('app', who.name)}, " if who.name else ""
            shown = f"{name}{who.kind} {self._names.text('app', who.id)}"
        else:
            shown = self._names.text("person", who.name)
        return f"{shown} ({who.way})" if who.way else shown

    def _verdict(self, verdict: Verdict) -> Verdict:
        return replace(
            verdict,
            gaps=tuple(map(self._gap, verdict.gaps)),
            not_judged=tuple(replace(each, policy=self._settings.text(each.policy)) for each in verdict.not_judged),
            coverage=tuple(map(self._coverage, verdict.coverage)),
            unused_allowances=tuple(self._names.name("allowance", each) for each in verdict.unused_allowances),
            waivers=tuple(Use(self._waiver(use.waiver), use.state, use.count) for use in verdict.waivers),
            baseline=self._baseline(verdict.baseline),
        )

    def _scope(self, scope: Scope) -> Scope:
        kind = _SCOPES.get(scope.kind, "vault")
        return Scope(self._names.text(kind, scope.id), self._names.text(kind, scope.name), scope.kind)

    def _gap(self, gap: Gap) -> Gap:
        return replace(
            gap,
            scope=self._scope(gap.scope),
            detail=_codes(gap.detail, gap.reason),
            blinds=tuple(map(self._settings.id, gap.blinds)),
            reader="",
        )

    def _coverage(self, record: Coverage) -> Coverage:
        return replace(record, scope=self._scope(record.scope), detail=_codes(record.detail, record.reason))

    def _waiver(self, waiver: Waiver) -> Waiver:
        names = self._names
        return replace(
            waiver,
            id=names.name("waiver", waiver.id),
            policy=waiver.policy if self._settings.ours(waiver.policy) else Glob(names.name("policy", waiver.policy.text)),
            resource=Glob(_pattern(names.text("resource", waiver.resource.text), waiver.resource.text)),
            reason=names.name("reason", waiver.reason),
            owner=names.text("owner", waiver.owner),
            approved_by=names.text("owner", waiver.approved_by),
            ticket=names.name("ticket", waiver.ticket),
            compensating_control=names.name("control", waiver.compensating_control),
            place="",
        )

    def _baseline(self, baseline: Baseline | None) -> Baseline | None:
        if baseline is None:
            return None
        entries = tuple(
            replace(entry, policy=self._settings.id(entry.policy), subject=self._names.text("resource", entry.subject))
            for entry in baseline.entries
        )
        rules = {self._settings.id(policy): rule for policy, rule in baseline.rules.items()}
        tenant = self._names.text("tenant", baseline.tenant_id)
        return dataclasses.replace(baseline, tenant_id=tenant, entries=entries, unknown=(), rules=rules)

    def _then(self, then: Mapping[tuple[str, str], Severity]) -> dict[tuple[str, str], Severity]:
        return {
            (self._settings.id(policy), self._names.text("resource", subject)): severity
            for (policy, subject), severity in then.items()
        }

    def _listing(self, name: str) -> Listing:
        found = self._report.listing(name)

        def rows() -> Iterator[Mapping[str, Value]]:
            return (self._rows.row(found.table, row) for row in found.rows())

        return replace(found, rows=rows)

    def _finding(self, finding: Finding) -> Finding:
        policy = self._settings.text(finding.policy)
        row = self._rows.row(TABLES[finding.policy.table], finding.row) if finding.row else {}
        message, fix, steps = self._worded(finding, policy, row)
        return replace(
            finding,
            policy=policy,
            subject=self._names.text("resource", finding.subject),
            message=message,
            row=row,
            evidence={name: row[name] for name in finding.evidence if name in row},
            expected=self._settings.said(finding.expected),
            fix=fix,
            steps=steps,
            scope=self._scope(finding.scope) if finding.scope else None,
            waiver=self._waiver(finding.waiver) if finding.waiver else None,
            cause=self._cause(finding.cause) if finding.cause else None,
            planned=self._planned(finding.planned) if finding.planned else None,
            reworded=None,
        )

    def _planned(self, at: PlannedAt) -> PlannedAt:
        return replace(at, address=self._names.text("resource", at.address), file="", line=0)

    def _causes(self, causes: Causes) -> Causes:
        repeated = {(self._settings.id(policy), *alike): count for (policy, *alike), count in causes.repeated.items()}
        return replace(causes, repeated=repeated)

    def _cause(self, cause: Cause) -> Cause:
        also = tuple(map(self._member, cause.also))
        return replace(cause, object=self._names.text("resource", cause.object), head=self._member(cause.head), also=also)

    def _member(self, member: Member) -> Member:
        name = self._settings.id(member.policy)
        return replace(
            member,
            policy=name,
            subject=self._names.text("resource", member.subject),
            problem=member.problem if name == member.policy else name,
        )

    def _owner(self, owner: Owner) -> Owner:
        return replace(owner, names=tuple(self._names.text("owner", name) for name in owner.names))

    def _worded(
        self, finding: Finding, policy: PolicyText, row: Mapping[str, Value]
    ) -> tuple[str, Mapping[str, str], Sequence[Mapping[str, str]]]:
        """The message, the fix and its steps for the redacted row; empty if that is impossible."""
        if policy is not finding.policy or finding.reworded is None:
            # The message of a scope contains only our own words.
            return (finding.message if finding.scope and not finding.row else "", {}, ())
        message, fix, steps = finding.reworded(row)
        return self._settings.said(message), self._said(fix), tuple(map(self._said, steps))

    def _said(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {part: self._settings.said(text) for part, text in texts.items()}


_FILTERS = Filters.__struct_fields__


def _codes(detail: str, reason: Reason | None) -> str:
    """The service codes of a detail; details of excluded objects contain names."""
    if reason is Reason.EXCLUDED_BY_CONFIG:
        return ""
    return "; ".join(part for part in detail.split("; ") if _CODE.fullmatch(part))


def _pattern(pseudonym: str, text: str) -> str:
    """The pseudonym of a pattern stays a pattern, since a waiver for a name would cover nothing."""
    return f"{pseudonym}*" if "*" in text or "?" in text else pseudonym
