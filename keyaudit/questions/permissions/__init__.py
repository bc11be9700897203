"""The permissions that keyaudit needs, in each format for granting them."""

import io
from collections.abc import Callable, Mapping

from keyaudit.questions.permissions import az, bicep, terraform, text
from keyaudit.questions.permissions.needs import Need, Needed
from keyaudit.report.members import SCHEMA, document


def _json(needed: Needed) -> str:
    """One JSON object."""
    out = io.StringIO()
    members = {"schema": SCHEMA, "tool_version": needed.version, "policies": needed.policies}
    last = {"access_policies": {kind: list(allowed) for kind, allowed in needed.access_policies().items()}}
    document(out, members, {"rights": map(_right, needed.needs)}, last)
    return out.getvalue()


def _right(need: Need) -> dict[str, object]:
    return {
        "kind": need.right.rights,
        "name": need.name,
        "on": need.right.on,
        "command": need.right.command or None,
        "operations": [operation.id for operation in need.operations],
        "policies": list(need.policies),
        "columns": list(need.columns),
    }


FORMATS: Mapping[str, Callable[[Needed], str]] = {
    "text": text.render,
    "az": az.render,
    "bicep": bicep.render,
    "terraform": terraform.render,
    "json": _json,
}
