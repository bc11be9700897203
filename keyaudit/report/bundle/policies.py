"""The evaluated policies as JSON: the origin of each limit, and the digest of the text beside it."""

from typing import TextIO

from keyaudit.model.results.run import Report
from keyaudit.model.results.settings import PolicyInForce
from keyaudit.report.members import begun, document
from keyaudit.report.settings import settings_member


def render(report: Report, out: TextIO) -> None:
    """Write it: the settings of the run, then each selected policy."""
    not_judged = {each.policy.id for each in report.verdict.not_judged}
    members = (_policy(each, judged=each.text.id not in not_judged) for each in report.policies)
    document(out, begun(report.run), {"policies": members}, {"settings": settings_member(report.settings)})


def _policy(policy: PolicyInForce, *, judged: bool) -> dict[str, object]:
    return {
        "id": policy.text.id,
        "file": f"{policy.text.id}.yaml" if policy.source else None,
        "sha256": policy.text.digest,
        "shipped": policy.shipped,
        "judged": judged,
        "parameters": {name: {"value": each.value, "from": each.origin} for name, each in policy.parameters.items()},
    }
