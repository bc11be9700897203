"""How much of a tenant can be read, for people and for programs."""

from collections.abc import Mapping
from typing import TextIO

from keyaudit.questions.doctor import text
from keyaudit.questions.doctor.examine import Examination, Examined
from keyaudit.report.members import begun, document, exits, gap_member
from keyaudit.report.options import Render, plain
from keyaudit.report.owner_rules import member


def _json(found: Examination, out: TextIO) -> None:
    """Write one JSON object."""
    policies = ({"id": policy, "blind_in": list(surfaces)} for policy, surfaces in found.policies.items())
    lacking = ({"policy": each.policy.id, "needs": list(each.needs)} for each in found.verdict.not_judged)
    lists = {"surfaces": map(_surface, found.surfaces), "policies": policies, "not_judged": lacking}
    document(out, begun(found.run), lists, {"owners": member(found.unowned), "verdict": exits(found.verdict)})


def _surface(surface: Examined) -> dict[str, object]:
    return {
        "name": surface.name,
        "reads": surface.reads,
        "assessed": surface.done,
        "gaps": [gap_member(gap) for gap in surface.gaps],
    }


FORMATS: Mapping[str, Render[Examination]] = {"text": text.render, "json": plain(_json)}
