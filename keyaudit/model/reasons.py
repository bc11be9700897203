"""Why something was not read: the one closed list, with what each reason means and what to do about it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.values.text import listed

_FEW = 3
"""The columns that are named where many are unknown for one reason."""


class Reason(StrEnum):
    """Why a scope was not assessed, or why a value is unknown."""

    PERMISSION = "permission"
    OPTIONAL_RIGHT = "optional_right"
    FIREWALL = "firewall"
    PRIVATE_ONLY = "private_only"
    DNS = "dns"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    INTERCEPTED = "intercepted"
    REDIRECTED = "redirected"
    FOREIGN_LINK = "foreign_link"
    BAD_VAULT_URI = "bad_vault_uri"
    BAD_CHALLENGE = "bad_challenge"
    AUTH_FAILED = "auth_failed"
    IDENTITY_REVOKED = "identity_revoked"
    THROTTLED = "throttled"
    SERVICE_ERROR = "service_error"
    TIMEOUT = "timeout"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    VANISHED = "vanished"
    TENANT_MOVED = "tenant_moved"
    OTHER_TENANT = "other_tenant"
    PUBLISHER_ONLY = "publisher_only"
    NOT_VISIBLE = "not_visible"
    NOTHING_VISIBLE = "nothing_visible"
    SUBSCRIPTION_LIMIT = "subscription_limit"
    TRUNCATED = "truncated"
    PAGE_LOOP = "page_loop"
    INCONSISTENT_PAGES = "inconsistent_pages"
    INCONSISTENT = "inconsistent"
    SHRINKAGE = "shrinkage"
    BAD_BODY = "bad_body"
    BAD_ITEM = "bad_item"
    BAD_VALUE = "bad_value"
    UNRECOGNISED = "unrecognised"
    TOO_LARGE = "too_large"
    NOT_LICENSED = "not_licensed"
    NOT_IN_CLOUD = "not_in_cloud"
    NOT_SUPPLIED = "not_supplied"
    NOT_CONFIGURED = "not_configured"
    NOT_STATED = "not_stated"
    FILTERED = "filtered"
    API_RETIRED = "api_retired"
    CONTROL_PLANE_ONLY = "control_plane_only"
    CLOCK_SKEW = "clock_skew"
    EXCLUDED_BY_CONFIG = "excluded_by_config"
    PARENT_NOT_ASSESSED = "parent_not_assessed"
    STALE = "stale"
    NOT_ASKED = "not_asked"
    NEXT_RUN = "next_run"
    AFTER_APPLY = "after_apply"
    NOT_IN_PLAN = "not_in_plan"
    UNREAD_RESOURCE = "unread_resource"
    INTERNAL_ERROR = "internal_error"


class Advice(Struct, frozen=True):
    """`meaning` completes "could not be read: ..."; `remedy` is what the reader can do."""

    meaning: str
    remedy: str


# Refused for safety: a run with one of these ends with exit 5.
UNSAFE = frozenset(
    {
        Reason.FOREIGN_LINK,
        Reason.BAD_VAULT_URI,
        Reason.BAD_CHALLENGE,
        Reason.REDIRECTED,
        Reason.TENANT_MOVED,
    }
)

# Excluded on purpose, not available, or behind a right that is given by choice: listed in every report, but it does not fail a
# gate unless it is required.
OPTIONAL = frozenset(
    {Reason.EXCLUDED_BY_CONFIG, Reason.NOT_IN_CLOUD, Reason.OPTIONAL_RIGHT, Reason.PUBLISHER_ONLY, Reason.NOT_IN_PLAN}
)

# Refused for want of a right, which its operation names.
UNGRANTED = frozenset({Reason.PERMISSION, Reason.OPTIONAL_RIGHT})

# Failures on Azure's side: a run that assessed nothing for only these reasons ends with exit 6.
AZURES = frozenset({Reason.THROTTLED, Reason.SERVICE_ERROR, Reason.TIMEOUT, Reason.UNREACHABLE})

ADVICE: dict[Reason, Advice] = {
    Reason.PERMISSION: Advice("the identity may not read it", "grant the permission named"),
    Reason.OPTIONAL_RIGHT: Advice("it needs an additional, optional permission", "to have it read, grant the permission named"),
    Reason.FIREWALL: Advice(
        "the vault's firewall refuses this address",
        "run from an allowed network, or allow this address in the vault's firewall",
    ),
    Reason.PRIVATE_ONLY: Advice("public network access is disabled", "run from a network with a private endpoint to it"),
    Reason.DNS: Advice("its name does not resolve", "check the private DNS zone, or that it still exists"),
    Reason.UNREACHABLE: Advice("no connection could be made", "check the route, the proxy and outbound rules"),
    Reason.TLS: Advice(
        "its certificate could not be verified",
        "set SSL_CERT_FILE to the CA certificate of your network's TLS inspection, or find out who intercepts TLS",
    ),
    Reason.INTERCEPTED: Advice("the response did not come from Azure", "look for a captive portal or a proxy login page"),
    Reason.REDIRECTED: Advice(
        "it returned a redirect, which keyaudit never follows", "find out which proxy or gateway is in front of the service"
    ),
    Reason.FOREIGN_LINK: Advice(
        "its next page points to another host, which was not contacted",
        "check for a proxy or gateway between this machine and Azure",
    ),
    Reason.BAD_VAULT_URI: Advice(
        "its vault URI is not its own name in this cloud, and was not contacted", "check --cloud, and find out who set that URI"
    ),
    Reason.BAD_CHALLENGE: Advice(
        "its sign-in challenge names another tenant or resource, so keyaudit sent no token",
        "check that the vault belongs to this tenant",
    ),
    Reason.AUTH_FAILED: Advice("sign-in was refused", "sign in again, or check the identity's credential"),
    Reason.IDENTITY_REVOKED: Advice("access was revoked during the run", "sign in again, and check why it was revoked"),
    Reason.THROTTLED: Advice("throttled until the end", "run again later, or with a smaller --share"),
    Reason.SERVICE_ERROR: Advice("Azure returned errors until the end", "run again later"),
    Reason.TIMEOUT: Advice("the request timed out", "run again later, or check the network"),
    Reason.BUDGET: Advice("the run reached its time limit", "give the run more time"),
    Reason.INTERRUPTED: Advice("the run was interrupted", "continue with collect --resume"),
    Reason.VANISHED: Advice(
        "Azure reports that it does not exist",
        "run again; if the gap remains, check in Azure whether it was deleted or never created",
    ),
    Reason.TENANT_MOVED: Advice("it now belongs to another tenant", "run against that tenant"),
    Reason.OTHER_TENANT: Advice("it belongs to another tenant", "run against that tenant"),
    Reason.PUBLISHER_ONLY: Advice("only the other organization can see it", "ask it for a written statement"),
    Reason.NOT_VISIBLE: Advice("it was expected but is not visible", "grant Reader on it"),
    Reason.NOTHING_VISIBLE: Advice("the identity sees nothing there", "grant Reader at the subscription or management group"),
    Reason.SUBSCRIPTION_LIMIT: Advice(
        "Azure returns only the first 10,000 subscriptions", "split the run into parts with --subscription"
    ),
    Reason.TRUNCATED: Advice("Azure truncated the response", "run again; report it if the gap remains"),
    Reason.PAGE_LOOP: Advice("its pages form a loop", "run again; report it to Azure if the gap remains"),
    Reason.INCONSISTENT_PAGES: Advice("its pages contradict each other", "run again while nothing is changing"),
    Reason.INCONSISTENT: Advice(
        "two of Azure's responses contradict each other", "run again while nothing is changing, and compare both in Azure"
    ),
    Reason.SHRINKAGE: Advice("far fewer objects were visible than last time", "check where the identity lost access"),
    Reason.BAD_BODY: Advice(
        "the response does not match the API's documentation", "run again; look for a proxy that rewrites responses"
    ),
    Reason.BAD_ITEM: Advice("an item of the response could not be read", "check the item named"),
    Reason.BAD_VALUE: Advice("Azure returned an invalid value", "check the value in Azure"),
    Reason.UNRECOGNISED: Advice(
        "this version does not recognise Azure's response", "update keyaudit; if that does not help, report it"
    ),
    Reason.TOO_LARGE: Advice("the response is implausibly large", "look for a proxy that rewrites responses"),
    Reason.NOT_LICENSED: Advice("the tenant has no licence for it", "license the tenant, or accept the gap with --allow-gap"),
    Reason.NOT_IN_CLOUD: Advice("it is not available in this cloud", "no fix exists in this cloud"),
    Reason.NOT_SUPPLIED: Advice("evidence from outside Azure was not supplied", "supply it"),
    Reason.NOT_CONFIGURED: Advice("no tag or setting names it", "name it in [environments] of keyaudit.toml"),
    Reason.NOT_STATED: Advice("Azure does not return it, and documents no default", "check it in Azure, and set it explicitly"),
    Reason.FILTERED: Advice(
        "it depends on a filter that keyaudit does not apply", "check in Azure which objects the filter excludes"
    ),
    Reason.API_RETIRED: Advice("Azure no longer answers this api-version", "update keyaudit"),
    Reason.CONTROL_PLANE_ONLY: Advice(
        "only the control plane could be read, which does not return it", "give the identity data-plane access"
    ),
    Reason.CLOCK_SKEW: Advice("this machine's clock is wrong", "set the clock"),
    Reason.EXCLUDED_BY_CONFIG: Advice("it was left out by configuration", "widen the filter"),
    Reason.PARENT_NOT_ASSESSED: Advice("its parent could not be read", "see the gap above it"),
    Reason.STALE: Advice("the snapshot is too old", "collect again"),
    Reason.NOT_ASKED: Advice(
        "it was left out to complete the incident page sooner",
        "run keyaudit collect, then keyaudit incident --from with its folder",
    ),
    Reason.NEXT_RUN: Advice(
        "it was left to the next run, because the time limit of --budget was reached",
        "run again with --copy-from and this snapshot, or with the same --keep",
    ),
    Reason.AFTER_APPLY: Advice("it is known only after apply", "set it in the configuration, or audit the tenant after apply"),
    Reason.NOT_IN_PLAN: Advice(
        "a plan does not contain it", "audit the tenant after apply, or add --from with a snapshot of it"
    ),
    Reason.UNREAD_RESOURCE: Advice(
        "the plan has a resource for it that keyaudit does not read",
        "declare it with a resource that keyaudit reads (keyaudit explain plan), or audit the tenant after apply",
    ),
    Reason.INTERNAL_ERROR: Advice("keyaudit failed there", "report it"),
}


def unknown_columns(unknown: Mapping[str, Reason]) -> str:
    """Columns with why they are unknown: "owner count and tags (the identity may not read it); tags (it timed out)".

    Of many with one reason, a few and how many more.
    """
    by_reason: dict[Reason, list[str]] = {}
    for column, reason in unknown.items():
        by_reason.setdefault(reason, []).append(_noun(column))
    return "; ".join(f"{listed(_few(nouns))} ({ADVICE[reason].meaning})" for reason, nouns in by_reason.items())


def _few(nouns: Sequence[str]) -> Sequence[str]:
    return nouns if len(nouns) <= _FEW + 1 else [*nouns[:_FEW], f"{len(nouns) - _FEW} more"]


def _noun(column: str) -> str:
    """A column name in words: `owner_count` is "owner count", `signers_named` is "environment of the signers"."""
    words = column.replace("_", " ")
    for ending in (" named", " environment"):
        if words.endswith(ending):
            return f"environment of the {words.removesuffix(ending)}"
    return words
