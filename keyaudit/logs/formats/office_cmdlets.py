"""Commands of Exchange in the unified audit log: what forwards mail, opens mailboxes, adds a domain, or stops recording.

https://learn.microsoft.com/purview/audit-log-activities; which of them matter is in the rules of
https://github.com/elastic/detection-rules/tree/main/rules/integrations/o365, and of
https://github.com/SigmaHQ/sigma/tree/master/rules/cloud/m365
"""

from collections.abc import Iterator

from keyaudit.inventory.logs.use import Use
from keyaudit.logs.formats.office_audit import Audit, parameters, readable, text_of, use_of
from keyaudit.logs.formats.values import BadRecordError, lower

# Commands that can disable recording, with the parameter and value.
_SWITCHES = {
    "set-adminauditlogconfig": ("unifiedauditlogingestionenabled", "false"),
    "set-organizationconfig": ("auditdisabled", "true"),
    "set-mailbox": ("auditenabled", "false"),
    "set-mailboxauditbypassassociation": ("auditbypassenabled", "true"),
}
_INBOX_RULES = frozenset({"new-inboxrule", "set-inboxrule", "updateinboxrules", "set-mailbox"})
_FORWARDS = frozenset(
    {"forwardto", "forwardasattachmentto", "redirectto", "forwardingsmtpaddress", "forwardingaddress", "forward", "redirect"}
)
"""Parameters, or actions of a rule, that forward mail."""
_TRANSPORT_RULES = frozenset({"new-transportrule", "set-transportrule"})
_COPIES = frozenset({"blindcopyto", "copyto", "redirectmessageto", "addtorecipients", "addmanagerasrecipienttype"})
"""Parameters of a transport rule that send mail of the whole organisation elsewhere, too."""
_PERMITS = {
    "add-mailboxpermission": ("accessrights", "fullaccess"),
    "add-recipientpermission": ("accessrights", "sendas"),
    "set-mailbox": ("grantsendonbehalfto", ""),
}
"""Commands that let somebody into another's mailbox, with the parameter, and a right that is in its value."""
_ASSIGNS_ROLE = "new-managementroleassignment"
_IMPERSONATION = "applicationimpersonation"
"""The role to act as any user of the organisation in mailboxes."""
_ADDS_DOMAIN = "add-federateddomain"

_BY_PARAMETERS = frozenset(
    {*_TRANSPORT_RULES, "add-mailboxpermission", "add-recipientpermission", "new-inboxrule", "set-inboxrule"}
)
"""Commands whose parameters alone say whether they matter."""

CMDLETS = frozenset({*_SWITCHES, *_INBOX_RULES, *_TRANSPORT_RULES, *_PERMITS, _ASSIGNS_ROLE, _ADDS_DOMAIN})
"""In lower case."""


def of_cmdlet(audit: Audit, on: int, operation: str, tenant: str | None) -> tuple[Use, ...]:
    """All uses in a record of one of CMDLETS. Raises BadRecordError where it does not say what it did."""
    return tuple(_found(audit, on, operation, tenant))


def _found(audit: Audit, on: int, operation: str, tenant: str | None) -> Iterator[Use]:
    pairs = parameters(audit)
    if (audit.parameters is None and operation in _BY_PARAMETERS) or any(not each.name or each.value is None for each in pairs):
        raise BadRecordError("does not say with which parameters")
    given = {(pair.name or "").casefold(): text_of(pair.value).casefold() for pair in pairs}
    if operation in _INBOX_RULES and _forwards(audit, given):
        box = lower(audit.mailbox_owner) or lower(audit.object_id if operation == "set-mailbox" else audit.user_id)
        yield use_of(audit, on, "forward-mail", "mailbox", box)
    elif operation in _SWITCHES and _switched_off(given, *_SWITCHES[operation]):
        mailbox = operation.startswith("set-mailbox")
        target = lower(audit.object_id) if mailbox else tenant
        yield use_of(audit, on, "change-audit", "mailbox" if mailbox else "tenant", target)
    elif operation in _TRANSPORT_RULES and _filled(given, _COPIES):
        yield _privileged(use_of(audit, on, "forward-mail", "tenant", tenant))
    elif operation == _ADDS_DOMAIN:
        yield _privileged(use_of(audit, on, "change-federation", "domain", lower(given.get("domainname") or audit.object_id)))
    elif operation == _ASSIGNS_ROLE and (not given or given.get("role") == _IMPERSONATION):
        yield _privileged(use_of(audit, on, "grant-mailbox-access", "tenant", tenant))
    if operation in _PERMITS and _permits(given, *_PERMITS[operation]):
        part = 0 if operation != "set-mailbox" else 1
        box = lower(audit.mailbox_owner) or lower(given.get("identity") or audit.object_id)
        yield use_of(audit, on, "grant-mailbox-access", "mailbox", box, part=part)


def _privileged(use: Use) -> Use:
    use.privileged = True
    return use


def _filled(given: dict[str, str], names: frozenset[str]) -> bool:
    return any(given[name] not in ("", "$null") for name in names & given.keys())


def _permits(given: dict[str, str], parameter: str, right: str) -> bool:
    value = given.get(parameter, "")
    return value not in ("", "$null") and right in value


def _forwards(audit: Audit, given: dict[str, str]) -> bool:
    """Whether it forwards mail: a non-empty parameter of the command, or an action of a rule."""
    if _filled(given, _FORWARDS):
        return True
    properties = readable(audit.operation_properties)
    actions = " ".join(text_of(pair.value) for pair in properties if (pair.name or "") == "RuleActions")
    return any(f'"{each}' in actions.casefold() for each in _FORWARDS)


def _switched_off(given: dict[str, str], parameter: str, value: str) -> bool:
    """Whether it disables recording; also if its parameters are missing."""
    return not given or given.get(parameter, "").strip("$") == value
