"""The sweep itself: its tenant shows everything, its faults strike, and a part of it comes out clean."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from keyaudit.model.operations import OPERATIONS
from keyaudit.model.tables import TABLES
from keyaudit.policy.load import load
from tests.sweep.__main__ import Tried, summed_up
from tests.sweep.compare import Effect, Wrong
from tests.sweep.envelopes import HARMLESS
from tests.sweep.faults import Fault, Meddling
from tests.sweep.sources import ALONE, PAIRS, violations
from tests.sweep.sweep import Sweep, distant

FILES_ALONE = frozenset({"usage_baseline", "unusual_use", "custody_record", "repository"})
"""Tables whose rows come from what is supplied, and which the sweep does without."""

NEVER_ASKED = frozenset(
    {
        # Asked where Resource Graph and ARM disagree about what there is, and for roles that a query did not bring.
        "vault.get", "hsm.get", "role_definition.get", "service_principal.get", "application.get",
        # Asked for what a look-up leaves out.
        "principal.get",
        # Asked for versions of keys that ARM's list of versions lacks, and with a filter by resource group.
        "arm.key.version", "resource_group.query",
        # Asked for service principals of a type that nobody knows.
        "agent.get",
        # Of service principals nobody has so many app roles.
        "service_principal.app_roles_of",
        # Asked where an HSM or vault refuses a version, or has a key of a type that only a later one knows.
        "hsm.key.get_older", "hsm.key.get_preview", "key.get_preview",
    }
)  # fmt: skip


pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def sweep() -> Iterator[Sweep]:
    """One for all tests here: it takes a few seconds to begin."""
    with Sweep() as begun:
        yield begun


def named(sweep: Sweep, operation: str, name: str) -> Fault:
    """One fault."""
    return next(fault for fault in sweep.faults if (fault.operation, fault.name) == (operation, name))


def test_every_table_has_rows_and_every_operation_of_a_collection_is_swept(sweep: Sweep) -> None:
    assert {name for name in TABLES if not sweep.base.rows.get(name)} == FILES_ALONE
    asked = {operation.id for operation in OPERATIONS.values() if not operation.command}
    assert asked - {fault.operation for fault in sweep.faults} == NEVER_ASKED


def test_every_policy_that_azure_alone_feeds_fails_somewhere_and_passes_elsewhere(sweep: Sweep) -> None:
    outcomes: dict[str, set[str]] = defaultdict(set)
    for (policy, _), outcome in sweep.base.audited.results.items():
        outcomes[policy].add(outcome.value)
    lacking = {
        policy.text.id: {"fail", "pass"} - outcomes[policy.text.id] - ALL_ALIKE.get(policy.text.id, set())
        for policy in load()
        if not policy.text.needs
    }
    assert not {policy: missing for policy, missing in lacking.items() if missing}


ALL_ALIKE: dict[str, set[str]] = {
    # Only a plan has the API version.
    "kv-api-version-retiring": {"fail", "pass"},
    # About the one tenant that there is.
    "app-users-can-consent": {"pass"},
    "app-users-can-register": {"pass"},
    "log-entra-diag-missing": {"pass"},
    "log-no-key-alerts": {"pass"},
    "scope-cross-tenant-mfa-trusted": {"pass"},
    # One such application is there, with a secret.
    "app-credential-where-none-belongs": {"pass"},
    # Nobody but another organization can see it, and no partner there is a provider.
    "agent-foreign-blueprint-with-secret": {"fail", "pass"},
    "scope-partner-admin-roles": {"fail", "pass"},
    # Who holds that role can do it to every blueprint.
    "agent-credential-admins": {"pass"},
    # The other legacy principal is switched off, and the region of the identity that could fail shows no restrictions.
    "sp-acs-credential-left": {"pass"},
    "sp-mi-not-limited": {"fail"},
    # No service there encrypts with an identity of its own.
    "scope-service-identity-signs": {"fail", "pass"},
    # Databricks is not there.
    "scope-databricks-reads-secrets": {"fail"},
    # It applies to what violates it alone.
    "combo-app-to-signing-key-path": {"pass"},
    "fed-domain-second-cert": {"pass"},
    "fed-fic-issuer-retiring": {"pass"},
    "fed-saml-signed-over-sha1": {"pass"},
    "sp-first-party-with-credential": {"pass"},
    "scope-sync-by-account": {"pass"},
    # Somebody may read the key of the one encrypted disk, and every key that a service names is in use as it is.
    "kv-disk-key-readers": {"pass"},
    "use-cmk-old-version": {"fail"},
    # The one deleted key that nobody can recover is in a vault that the small tenant lacks.
    "kv-key-deleted-recoverable": {"fail"},
    # A vault that lets nobody in may have the key of any certificate.
    "sp-privileged-certificate-outside-vault": {"fail"},
}
"""What these policies never come to here."""


def test_a_fault_strikes_the_address_that_it_names_and_no_other(sweep: Sweep) -> None:
    fault = named(sweep, "key.list", "403 at one")
    meddling = Meddling(fault)
    answers = {call: meddling(call, lambda asked: sweep.base.calls[asked]) for call in sweep.base.calls}
    struck = [call for call, answer in answers.items() if answer != sweep.base.calls[call]]
    assert struck == [fault.at]
    assert answers[struck[0]].status == 403


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("key.rotation_policy", "401"),
        ("key.list", "403 firewall"),
        ("domain.list", "429"),
        ("hsm.key.list", "500"),
        ("organization.get", "200 error"),
        ("certificate.get", "html"),
        ("key.get", "cut"),
        ("key.get", "type attributes.enabled"),
        ("key.get", "says otherwise attributes.enabled"),
        ("secret.versions", "says otherwise attributes.created"),
        ("principal.lookup", "left out"),
        ("agent.list", "left out"),
        ("service_principal.list", "created service principal Returns Agent, in no plain list"),
        ("application.owners", "created application Integration Hub, read before it"),
        ("vault.query", "says otherwise properties.enablePurgeProtection"),
        ("key.get", "words replaced key.key_ops"),
        ("key.get", "words left out key.key_ops"),
        ("vault.list", "word replaced properties.accessPolicies[].permissions.keys"),
        ("role_definition.query", "words replaced properties.permissions[].dataActions"),
        ("key.list", "envelope: link misspelt"),
        ("application.list", "envelope: error misspelt"),
        ("role_assignment.query", "envelope: link moved"),
    ],
)
def test_a_fixed_part_of_it_is_clean(sweep: Sweep, operation: str, name: str) -> None:
    effect = sweep.tried(named(sweep, operation, name))
    assert effect.unknown
    assert (effect.silent, effect.losses, effect.bugs, effect.stopped) == ((), (), (), "")


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("key.get", "words in capitals key.key_ops everywhere"),
        ("application.list", f"envelope: {HARMLESS}"),
        # It is asked for again, and at last by itself.
        ("graph.batch", "left out #1"),
        ("graph.batch", "left out everywhere"),
    ],
)
def test_what_says_the_same_changes_nothing(sweep: Sweep, operation: str, name: str) -> None:
    assert sweep.tried(named(sweep, operation, name)) == Effect(unknown=0, others=0)


def test_of_two_moments_each_is_right_and_nothing_else(sweep: Sweep) -> None:
    fault = named(sweep, "application.list", "rotated secret of Legacy Reporting, read before it")
    effect = sweep.tried(fault)
    assert effect.fallbacks
    assert (effect.silent, effect.losses) == ((), ())
    # Of an object that is the same at both moments.
    result = next(
        result for result, was in sweep.base.audited.results.items() if was == "fail" and result[1].startswith("https")
    )
    assert sweep.moments.believed(fault, Wrong(*result, "fail", "pass")) == ""


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("application.list", "null displayName"),
        ("role_assignment.query", "second page refused"),
        ("vault.list", "null properties.accessPolicies[].objectId"),
    ],
)
def test_what_is_recalled_is_what_the_program_itself_comes_to(sweep: Sweep, operation: str, name: str) -> None:
    fault = named(sweep, operation, name)
    assert sweep.auditor.run(Meddling(fault)) == sweep.auditor.anew(Meddling(fault))


def test_of_many_faults_at_once_those_are_found_that_are_wrong_alone(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [
        named(sweep, operation, name)
        for operation, name in (
            ("key.get", "type attributes.enabled"),
            ("certificate.get", "html at one"),
            ("conditional_access.list", "empty list"),
            ("domain.federation", "500 at one"),
        )
    ]
    assert not list(sweep.wrong(faults))
    monkeypatch.setattr(sweep.judge, "_believed", lambda fault, wrong: "")
    [(wrong, effect)] = sweep.wrong(faults)
    assert (wrong.operation, bool(effect.silent)) == ("conditional_access.list", True)


def test_faults_that_are_tried_at_once_are_of_distant_objects(sweep: Sweep) -> None:
    groups = distant(sweep.faults, 12)
    single = [fault for fault in sweep.faults if fault.single and fault.at is not None and not fault.also]
    assert sorted(fault.again for group in groups for fault in group) == sorted(fault.again for fault in single)
    for group in groups:
        assert len({fault.operation for fault in group}) == len(group)
        about = [name for fault in group for name in fault.about]
        assert len(set(about)) == len(about) or len(group) == 1


def test_a_member_that_one_object_does_without_is_tried_in_the_others(sweep: Sweep) -> None:
    """The first certificate that is struck does not renew itself, and who issues it changes nothing."""
    member = ("certificate.get", "policy.issuer.name")
    effects = {fault.name: sweep.tried(fault) for fault in sweep.faults if (fault.operation, fault.member) == member}
    assert effects["null policy.issuer.name everywhere"].fallbacks
    assert not any(effect.silent or effect.losses for effect in effects.values())


def test_the_last_line_counts_faults_and_the_exit_code_says_whether_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    fine = Tried("403", "key.list", "again", True, Effect(unknown=3, others=1))
    wrong = Wrong("p", "row", "fail", "pass")
    silent = Tried("null", "key.get", "again", True, Effect(unknown=0, others=0, silent=(wrong, wrong)))
    lost = Tried("null", "key.get", "again", True, Effect(unknown=0, others=0, losses=(wrong,)))
    for found, code, last in (
        ([fine], 0, "1 faults tried, 0 silent passes, 0 losses"),
        ([fine, silent], 1, "2 faults tried, 1 silent passes, 0 losses"),
        ([fine, silent, lost], 1, "3 faults tried, 1 silent passes, 1 losses"),
    ):
        assert summed_up(found) == code
        assert capsys.readouterr().out.splitlines()[-1] == last


@pytest.mark.parametrize("sources", [*ALONE, *PAIRS[::60]], ids=" ".join)
def test_a_part_passes_over_nothing(sweep: Sweep, sources: tuple[str, ...]) -> None:
    assert not list(violations(sweep.base.audited, sweep.auditor.of_sources(*sources)))
