"""Changes of the directory in the unified audit log: copies of records in Entra's audit log."""

from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.changes import Target, changes, federates, gives_role, of_tenant, owned, tell_change
from keyaudit.logs.formats.office_audit import KINDS, TYPED, Audit, readable, text_of, use_of
from keyaudit.logs.formats.values import lower


def directory_changes(audit: Audit, on: int, operation: str) -> tuple[Use, ...]:
    """A copy of a record in Entra's audit log."""
    modified = audit.modified_properties
    properties = [(pair.name or "", text_of(pair.old_value), text_of(pair.new_value)) for pair in readable(modified)]
    found = changes(operation, None if modified is None else properties)
    target = owned(operation, properties) or _target(audit, operation)
    if gives_role(operation) and audit.target and target.id is None:
        # A person or a group got it.
        return ()
    uses = tuple(
        use_of(audit, on, change.operation, target.kind, target.id, key=change.key, issuer=change.issuer, part=part)
        for part, change in enumerate(found)
    )
    for use in uses:
        tell_change(use, operation, properties, target)
    return uses


def _target(audit: Audit, operation: str) -> Target:
    if federates(operation):
        return Target("domain", lower(audit.object_id))
    if of_tenant(operation):
        return Target("tenant", lower(audit.organization_id) or "(this tenant)")
    matches = [match for party in audit.target or () if (match := TYPED.fullmatch(party.id or ""))]
    known = [(KINDS[match[1].lower()], match[2].lower()) for match in matches if match[1].lower() in KINDS]
    if not known:
        return Target("application" if "principal" not in operation else "service-principal", None)
    (kind, id_), *others = known
    return Target(kind, id_, [other for _, other in others])
