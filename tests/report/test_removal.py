"""The plan removes access only from those whom complete logs show not to be at work."""

import re
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from keyaudit import ask
from keyaudit.inventory.snapshot import Snapshot, open_snapshot
from keyaudit.model.reasons import Reason
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.questions.blast_radius.activity import Source, Used, Work, credential, in_vault
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Node, Relation
from keyaudit.questions.blast_radius.grants import taken_away
from keyaudit.questions.blast_radius.plan import plan
from keyaudit.report.steps import Phase, Step
from tests.estates import snapshot
from tests.shared import views_once  # noqa: F401 - pytest finds it here

KEY = "kv-identity-prod/consumer-token-signing"
WORKER, CUSTODIAN, TESTER, COLLEAGUE = (
    *("id-identity-token-service-prod", "Ines Moreau", "id-orders-api-test"),
    "Sara Lindqvist",
)
"""Worker and colleague have access through a group, the others by an assignment of their own."""
LAST = parse_date("2026-11-28")
COVERED = Window(since=LAST - 60 * DAY, until=LAST + DAY)
IDLE = Work(covered=COVERED)
BUSY = Work(used=[Used(source=Source.LOGS, count=90, last_on=LAST)], covered=COVERED)
STRANGE = Work(used=[Used(source=Source.LOGS, count=10, outside=10, last_on=LAST)], covered=COVERED)
MIXED = Work(used=[Used(source=Source.LOGS, count=90, outside=10, last_on=LAST)], covered=COVERED)
UNCOVERED = Work()


pytestmark = pytest.mark.usefixtures("views_once")


@pytest.fixture(scope="module")
def contoso() -> Snapshot:
    return open_snapshot(snapshot("contoso"))


def asked(found: Snapshot, subject: str) -> BlastRadius:
    return ask.incident(found, subject, as_of=found.run.as_of, reach=True).radius


@pytest.fixture(scope="module")
def radius(contoso: Snapshot) -> BlastRadius:
    return asked(contoso, KEY)


def logged(radius: BlastRadius, **but: Work) -> BlastRadius:
    """The graph with logs, in which nobody is at work but these, by the letters of their names."""
    [kept] = [edge for edge in radius.accepting() if edge.relation is Relation.KEPT_IN]
    named = {re.sub(r"\W", "_", name): work for name, work in but.items()}
    users = [edge.target for edge in radius.edges if edge.relation is Relation.USED_BY]
    work = {
        in_vault(kept.facts["vault_id"], each): named.get(re.sub(r"\W", "_", radius.nodes[each].name), IDLE) for each in users
    }
    return replace(radius, work={kept.target.lower(): IDLE, **work}, logged=True, serving=frozenset())


def removal(radius: BlastRadius) -> Step:
    [step] = [step for step in plan(radius) if step.title.startswith("Remove access of principals")]
    return step


def removed(radius: BlastRadius) -> set[str]:
    """Whose own grants, or whose group's, the plan removes."""
    given: dict[str, set[str]] = {}
    for edge in radius.edges:
        if edge.relation is Relation.USED_BY and edge.way is not None:
            given.setdefault(edge.way.id, set()).add(radius.nodes[edge.target].name)
    commands = [each for each in removal(radius).commands if " delete " in each]
    return {name for id_, names in given.items() for name in names if any(each.endswith(id_) for each in commands)}


def of(names: Mapping[str, Work]) -> dict[str, Work]:
    return {re.sub(r"\W", "_", name): work for name, work in names.items()}


def test_those_who_do_not_use_the_key_lose_their_access_and_the_plan_says_what_shows_it(radius: BlastRadius) -> None:
    found = logged(radius)
    assert removed(found) == {"Daniel Okoye", WORKER, COLLEAGUE, CUSTODIAN, TESTER}
    step = removal(found)
    assert "The log of the vault is complete for 2026-09-29 to 2026-11-28, and shows no use by them." in step.text
    # Nothing is removed before it was looked at, and replaced.
    assert step.commands[0].startswith("az role assignment list ")
    assert [each.phase for each in plan(found)].index(Phase.REPLACE) < plan(found).index(step)
    # The log of a vault does not record what an owner of a subscription does.
    assert "May be in use, so no command is printed: Amira Haddad by role User Access Administrator" in step.text


def test_a_worker_is_named_and_keeps_his_access_with_his_group(radius: BlastRadius) -> None:
    found = logged(radius, **of({WORKER: BUSY}))
    assert removed(found) == {CUSTODIAN, TESTER}
    assert f"At work, and kept: {WORKER} (90 uses, the last on 2026-11-28)." in removal(found).text


@pytest.mark.parametrize(
    ("work", "gone"),
    [(MIXED, False), (UNCOVERED, False), (STRANGE, False), (IDLE, True)],
)
def test_access_ends_only_where_complete_logs_show_no_use_at_all(radius: BlastRadius, work: Work, gone: bool) -> None:
    assert (TESTER in removed(logged(radius, **of({TESTER: work})))) is gone


def test_members_of_a_group_that_were_not_read_may_be_at_work(radius: BlastRadius) -> None:
    unread = Node(id="unknown/used-by", kind=Kind.UNSEEN, name="the principals behind group Identity Platform")
    edge = Edge(source="subject", target=unread.id, relation=Relation.USED_BY, doubt=Reason.PERMISSION)
    found = logged(radius)
    found = replace(found, nodes={**found.nodes, unread.id: unread}, edges=[*found.edges, edge])
    assert removed(found) == {CUSTODIAN, TESTER}


def test_a_service_that_encrypts_with_a_key_of_the_vault_may_be_any_identity_that_can_unwrap(radius: BlastRadius) -> None:
    found = replace(logged(radius), serving=frozenset({"https://kv-identity-prod.vault.azure.net"}))
    assert removed(found) == {CUSTODIAN}


def test_a_version_that_is_in_use_or_encrypts_stays_enabled(contoso: Snapshot, radius: BlastRadius) -> None:
    def disabling(found: BlastRadius) -> list[str]:
        return [command for step in plan(found) for command in step.commands if "--enabled false" in command]

    found = logged(radius)
    assert len(disabling(found)) == 1
    [version] = [edge.target for edge in found.accepting() if edge.relation is Relation.KEPT_IN]
    for work in (BUSY, MIXED, STRANGE, UNCOVERED):
        assert disabling(replace(found, work={**found.work, version.lower(): work})) == []
    encrypts = asked(contoso, "kv-data-prod/storage-cmk")
    kept = [edge for edge in encrypts.accepting() if edge.relation is Relation.KEPT_IN]
    current = {edge.names for edge in encrypts.edges if edge.relation is Relation.ENCRYPTS}
    idle = replace(encrypts, work={edge.target.lower(): IDLE for edge in kept}, logged=True)
    stays = {edge.target for edge in kept if edge.facts["version"] in current}
    assert stays
    assert {edge.target for edge in kept if any(edge.target in command for command in disabling(idle))} == {
        edge.target for edge in kept
    } - stays


@pytest.mark.parametrize("subject", ["BI Refresh", "etl-runner", "azdo-payments-release"])
@pytest.mark.parametrize(
    ("work", "removed", "stopped"),
    [
        (BUSY, False, False),
        (MIXED, False, False),
        (UNCOVERED, False, False),
        (replace(STRANGE, covered=None), False, False),
        (STRANGE, False, True),
        (IDLE, True, True),
    ],
)
def test_a_credential_ends_only_if_nothing_uses_it_and_an_application_also_if_all_it_does_is_outside_the_baseline(
    contoso: Snapshot, subject: str, work: Work, removed: bool, stopped: bool
) -> None:
    found = asked(contoso, subject)
    signing = [edge for edge in found.accepting() if edge.relation is Relation.SIGNS_IN_AS]
    shown = {credential(edge.facts["key_id"]): work for edge in signing} | {edge.target: work for edge in signing}
    commands = [command for step in plan(replace(found, work=shown, logged=True)) for command in step.commands]
    assert any("credential delete" in each for each in commands) is removed
    assert any("accountEnabled=false" in each for each in commands) is stopped


@pytest.mark.parametrize("subject", ["BI Refresh", "etl-runner", "azdo-payments-release"])
@pytest.mark.parametrize("work", [BUSY, MIXED, UNCOVERED, STRANGE])
def test_if_a_theft_is_stated_each_step_has_its_command_and_says_what_it_stops(
    contoso: Snapshot, subject: str, work: Work
) -> None:
    found = replace(asked(contoso, subject), stated=True)
    signing = [edge for edge in found.accepting() if edge.relation is Relation.SIGNS_IN_AS]
    shown = {credential(edge.facts["key_id"]): work for edge in signing} | {edge.target: work for edge in signing}
    steps = plan(replace(found, work=shown, logged=True))
    for edge in signing:
        name = found.nodes[edge.target].name
        [stop] = [step for step in steps if step.title.startswith(f"Stop {name} from signing in")]
        [remove] = [step for step in steps if step.settles is edge]
        new = [step for step in steps if step.phase is Phase.REPLACE and name in step.title]
        assert (stop.phase, len(stop.commands), remove.phase) == (Phase.BLOCK, 1, Phase.REVOKE)
        assert any("credential delete" in each for each in remove.commands)
        assert all(steps.index(stop) < steps.index(each) < steps.index(remove) for each in new)
        told = "may stop legitimate work" if work is UNCOVERED else "uses, the last on 2026-11-28"
        assert told in stop.text
        assert told in remove.text
        assert "accountEnabled=true" in stop.text
        assert "--query accountEnabled" in stop.text


def test_what_may_be_another_key_is_stopped_by_no_command(contoso: Snapshot) -> None:
    found = replace(asked(contoso, "etl-runner"), stated=True)
    unsure = [replace(edge, doubt=Reason.NOT_VISIBLE) for edge in found.edges]
    commands = [command for step in plan(replace(found, edges=unsure)) for command in step.commands]
    assert not [each for each in commands if "credential delete" in each or "accountEnabled=false" in each]


@pytest.mark.parametrize("stated", [True, False])
def test_a_credential_on_a_principal_of_microsoft_goes_and_its_service_stays(contoso: Snapshot, *, stated: bool) -> None:
    found = replace(asked(contoso, "BI Refresh"), stated=stated, logged=True)
    exchange = "00000002-0000-0ff1-ce00-000000000000"
    nodes = {exchange: Node(id=exchange, kind=Kind.IDENTITY, name="Office 365 Exchange Online")}
    edges = [
        replace(edge, target=exchange, facts={**edge.facts, "app_id": exchange, "holder_kind": "service_principal"})
        for edge in found.accepting()
        if edge.relation is Relation.SIGNS_IN_AS
    ]
    steps = plan(replace(found, nodes={**found.nodes, **nodes}, edges=edges))
    commands = [command for step in steps for command in step.commands]
    assert not [step.title for step in steps if step.title.startswith(("Stop ", "Let "))]
    assert not [each for each in commands if "accountEnabled" in each or "credential reset" in each]
    assert {step.phase for step in steps if step.settles is not None} == {Phase.BLOCK}
    assert any(each.startswith(f"az ad sp credential delete --id {exchange} ") for each in commands) is stated


@pytest.mark.parametrize(
    ("work", "gone"), [(STRANGE, True), (replace(STRANGE, covered=None), True), (MIXED, False), (BUSY, False), (IDLE, False)]
)
def test_if_a_theft_is_stated_who_used_the_vault_only_outside_the_baseline_is_out_first(
    radius: BlastRadius, work: Work, gone: bool
) -> None:
    found = replace(logged(radius, **of({TESTER: work, WORKER: BUSY})), stated=True)
    cut = [step for step in plan(found) if step.title.startswith("Remove the access of")]
    assert [(step.phase, TESTER in step.title) for step in cut] == [(Phase.BLOCK, True)] * gone
    assert not [step for step in plan(replace(found, stated=False)) if step.title.startswith("Remove the access of")]
    # The member of a group keeps it with his colleagues.
    assert WORKER not in str(cut)


def test_a_version_that_only_the_thief_still_uses_is_disabled_first(radius: BlastRadius) -> None:
    found = replace(logged(radius), stated=True)
    [version] = [edge.target for edge in found.accepting() if edge.relation is Relation.KEPT_IN]
    for usual_on, first in ((LAST - 9 * DAY, True), (LAST, False)):
        used = Used(source=Source.LOGS, count=90, outside=10, last_on=LAST, usual_on=usual_on)
        mixed = replace(found, work={**found.work, version.lower(): Work(used=[used], covered=COVERED)})
        [now] = [step for step in plan(mixed) if step.title.startswith("Disable") and step.phase is Phase.BLOCK]
        assert ("Do this first: every use since 2026-11-19 is outside the baseline." in now.text) is first


def test_a_sign_in_that_no_log_shows_may_have_been_with_any_credential(contoso: Snapshot) -> None:
    """The credential report leaves out federated credentials; the sign-in report has their applications."""
    found = asked(contoso, "azdo-payments-release")
    [edge] = [edge for edge in found.accepting() if edge.relation is Relation.SIGNS_IN_AS]
    for source, gone in ((Source.SIGN_INS, False), (Source.LOGS, True)):
        app = Work(used=[Used(source=source, last_on=LAST, count=1)], covered=COVERED)
        shown = {credential(edge.facts["key_id"]): IDLE, edge.target: app}
        commands = [command for step in plan(replace(found, work=shown, logged=True)) for command in step.commands]
        assert any("credential delete" in each for each in commands) is gone


def test_the_active_token_signing_certificate_is_not_removed(contoso: Snapshot) -> None:
    found = asked(contoso, "Litware HR")
    signing = [edge for edge in found.accepting() if edge.relation is Relation.SIGNS_TOKENS_FOR]
    assert {edge.facts["active"] for edge in signing} == {"true"}
    replaced = [replace(edge, facts={**edge.facts, "active": "false"}) if edge in signing else edge for edge in found.edges]
    for radius, gone in ((found, False), (replace(found, edges=replaced), True)):
        commands = [command for step in plan(radius) for command in step.commands]
        assert any("credential delete" in each for each in commands) is gone


def test_a_local_role_is_removed_at_its_own_scope(contoso: Snapshot) -> None:
    """The Azure CLI looks for it at the scope that is given, and says nothing if there is none."""
    found = asked(contoso, "hsm-contoso-trust/branch-link-signing")
    users = [edge for edge in found.edges if edge.relation is Relation.USED_BY]
    words = [line.split() for edge in users for line in taken_away("hsm-contoso-trust", edge) if "keyvault role" in line]
    assert {line[line.index("--scope") + 1] for line in words} == {"/", "/keys", "/keys/branch-link-signing"}
