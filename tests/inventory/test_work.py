"""Which logs show that somebody is not at work: complete ones, long enough, until now, with a name in every record."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.inventory.usage.complete_since import Stretch
from keyaudit.inventory.usage.deviations import statements
from keyaudit.inventory.usage.learn import learn
from keyaudit.model.errors import Exit
from keyaudit.model.results.run import Verdict
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY, parse_date
from keyaudit.questions.blast_radius.activity import Source, Used, Work, credential, in_vault
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Node, Relation
from keyaudit.questions.incident.evidence.acts import reasons
from keyaudit.questions.incident.evidence.work import Acts, Asked, Shown, outside, shown, with_logs
from tests.inventory.sample import RUN
from tests.logs import START, store, use

AS_OF = parse_date("2026-11-29")
VAULT = "/subscriptions/1/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv"
HOST = "https://kv.vault.azure.net"
VERSION = f"{HOST}/keys/token/0123456789abcdef0123456789abcdef"
APP, OBJECT, KEY = (f"{number}0000000-0000-4000-8000-000000000000" for number in (1, 2, 3))
ASKED = Asked(hosts=frozenset({HOST}), vault_ids=frozenset({VAULT}), apps=frozenset({APP}), credentials=frozenset({KEY}))


def radius(current: str = "true", **of: Any) -> BlastRadius:
    """A key in a vault that one identity can use."""
    nodes = {
        "subject": Node(id="subject", kind=Kind.SUBJECT, name="kv/token", note="key"),
        VERSION: Node(id=VERSION, kind=Kind.KEY, name="kv/token"),
        OBJECT: Node(id=OBJECT, kind=Kind.PRINCIPAL, name="id-token", note="managed-identity"),
    }
    facts = {"noun": "key", "thing_id": f"{HOST}/keys/token", "vault_id": VAULT, "vault_name": "kv", "current": current}
    edges = [
        Edge(source="subject", target=VERSION, relation=Relation.KEPT_IN, facts=facts),
        Edge(source=VERSION, target=OBJECT, relation=Relation.USED_BY, facts={"sign_in": APP}),
    ]
    return BlastRadius(
        run=RUN,
        verdict=Verdict(exit=Exit.CLEAN, conditions=(), gate=None, failed={}, unknown={}, passed=0, not_applicable=0, gaps=()),
        target="kv/token",
        subject=nodes["subject"],
        digests=(),
        nodes=nodes,
        edges=edges,
        verify=False,
        **of,
    )


def stretch(source: str, resource_id: str = "", *, days: int = 60, until: int = AS_OF - DAY) -> Stretch:
    first = until - days * DAY
    return Stretch(source=source, resource_id=resource_id, first_on=first, last_on=until, whole_since=first + DAY)


LOG = stretch("AZKVAuditLogs", VAULT)
SIGN_INS = (stretch("AADServicePrincipalSignInLogs"), stretch("AADManagedIdentitySignInLogs"))
NOTHING = Shown(acts=(), outside=(), learned=(), logs=(LOG, *SIGN_INS), unlogged=())


def act(*, app: str | None = APP, principal: str | None = OBJECT, target: str = VERSION, **of: Any) -> Acts:
    return Acts(
        **{"app": app, "principal": principal, "key": None, "operation": "sign", "target": target, "count": 3, **of},
        last_on=AS_OF - 2 * DAY,
    )


def work(shown: Shown, name: str = "", **of: Any) -> Work:
    return with_logs(radius(**of), shown, ASKED, AS_OF).worked(name or in_vault(VAULT, OBJECT))


def test_a_complete_log_without_a_use_shows_that_nobody_is_at_work() -> None:
    found = work(NOTHING)
    assert found.may_end
    assert str(found.covered) == "2026-09-30 to 2026-11-28"
    assert work(NOTHING, VERSION).may_end


SETTING = "/providers/microsoft.insights/diagnosticsettings/audit"


@pytest.mark.parametrize(
    "shown",
    [
        replace(NOTHING, logs=SIGN_INS),
        replace(NOTHING, logs=(replace(LOG, whole_since=None), *SIGN_INS)),
        replace(NOTHING, logs=(stretch("AZKVAuditLogs", VAULT, days=34), *SIGN_INS)),
        replace(NOTHING, logs=(stretch("AZKVAuditLogs", VAULT, until=AS_OF - 9 * DAY), *SIGN_INS)),
        replace(NOTHING, logs=(stretch("AZKVAuditLogs", f"{VAULT}2"), *SIGN_INS)),
        replace(NOTHING, unlogged=((f"{VAULT}{SETTING}", AS_OF - 7 * DAY),)),
        replace(NOTHING, unlogged=(("/subscriptions/1/providers/x/workspaces/logs", AS_OF - 7 * DAY),)),
        replace(NOTHING, acts=(act(app=None, principal=None),)),
    ],
    ids=["absent", "gaps", "too-short", "ended", "another-vault", "switched-off", "no-destination", "nobody-named"],
)
def test_a_log_that_may_lack_a_use_shows_nothing(shown: Shown) -> None:
    assert not work(shown).may_end
    assert not work(shown, VERSION).may_end


def test_what_concerns_another_vault_does_not_matter() -> None:
    elsewhere = replace(NOTHING, unlogged=((f"{VAULT}2{SETTING}", AS_OF - 7 * DAY),))
    assert work(elsewhere).may_end
    assert work(replace(NOTHING, acts=(act(app=None, principal=None, target=f"{HOST}2/keys/token"),))).may_end


@pytest.mark.parametrize(
    "of", [{}, {"app": None}, {"principal": None}, {"target": VAULT}, {"target": f"{HOST}/secrets/other/1"}]
)
def test_who_uses_anything_in_the_vault_is_at_work_in_it(of: dict[str, Any]) -> None:
    found = work(replace(NOTHING, acts=(act(**of),)))
    assert [(each.source, each.count, each.outside) for each in found.used] == [(Source.LOGS, 3, 0)]
    assert found.at_work


def test_uses_outside_the_baseline_are_no_usual_work_and_what_the_baseline_knows_is() -> None:
    assert work(replace(NOTHING, acts=(act(),), outside=(act(),))).outside
    assert work(replace(NOTHING, acts=(act(count=4),), outside=(act(),))).at_work
    assert work(replace(NOTHING, learned=(act(),))).at_work


def test_a_version_is_in_use_by_its_name_in_any_kind_and_without_a_version() -> None:
    for target in (VERSION, f"{HOST}/keys/token", VERSION.replace("/keys/", "/secrets/")):
        assert work(replace(NOTHING, acts=(act(target=target),)), VERSION).at_work, target
    for target in (VERSION[:-1] + "0", f"{HOST}/keys/token2", f"{HOST}2/keys/token"):
        assert work(replace(NOTHING, acts=(act(target=target),)), VERSION).may_end, target


@pytest.mark.parametrize(("current", "at_work"), [("true", True), ("false", False), ("", True)])
def test_a_backup_names_no_version_and_is_no_use_of_an_old_one(current: str, at_work: bool) -> None:
    """https://learn.microsoft.com/rest/api/keyvault/keys/backup-key/backup-key: the request has no version."""
    unversioned = f"{HOST}/keys/token"
    shown = replace(NOTHING, acts=(act(target=unversioned, operation="backup"),))
    assert work(shown, VERSION, current=current).at_work is at_work
    # A signature without a version in the log may be one with any.
    for target in (unversioned, VERSION):
        assert work(replace(NOTHING, acts=(act(target=target),)), VERSION, current=current).at_work


def test_of_uses_outside_the_baseline_the_last_of_the_others_is_known() -> None:
    usual = replace(act(app=OBJECT, principal=None, count=9), last_on=AS_OF - 20 * DAY)
    [used] = work(replace(NOTHING, acts=(act(), usual), outside=(act(),)), VERSION).used
    assert (used.count, used.outside, used.last_on, used.usual_on) == (12, 3, AS_OF - 2 * DAY, AS_OF - 20 * DAY)
    # Of an actor who has both, such as an application whose credential was stolen, the logs split them.
    stolen = act(count=12, usual=7, usual_on=AS_OF - 30 * DAY)
    since = act(count=3, usual=2, usual_on=AS_OF - 19 * DAY)
    [used] = work(replace(NOTHING, acts=(stolen,), outside=(since,)), VERSION).used
    assert (used.count, used.outside, used.last_on, used.usual_on) == (12, 3, AS_OF - 2 * DAY, AS_OF - 19 * DAY)
    [used] = work(
        replace(NOTHING, acts=(replace(stolen, count=10),), outside=(replace(since, usual=0, usual_on=None),)), VERSION
    ).used
    assert used.usual_on == AS_OF - 30 * DAY
    # Where they do not tell of each use, it may be the last of all.
    [used] = work(replace(NOTHING, acts=(act(count=4),), outside=(act(),)), VERSION).used
    assert used.usual_on == used.last_on
    [used] = work(replace(NOTHING, acts=(act(),), outside=(act(),)), VERSION).used
    assert used.usual_on is None


def test_a_sign_in_shows_the_application_and_the_credential_at_work() -> None:
    with_it = act(operation="sign-in", key=KEY, target="graph")
    assert work(replace(NOTHING, acts=(with_it,)), APP).at_work
    assert work(replace(NOTHING, acts=(with_it,)), credential(KEY)).at_work
    other = act(operation="sign-in", key=APP, target="graph")
    assert work(replace(NOTHING, acts=(other,)), credential(KEY)).may_end
    # Somebody signs in to it.
    assert work(replace(NOTHING, acts=(act(app=OBJECT, operation="sign-in", key=APP, target=APP),)), APP).at_work
    # A sign-in that names no credential may be one with any.
    assert not work(replace(NOTHING, acts=(act(app=OBJECT, operation="sign-in", target="graph"),)), credential(KEY)).may_end
    assert not work(replace(NOTHING, acts=(act(app=None, operation="sign-in", key=KEY, target="graph"),)), APP).may_end
    assert not work(replace(NOTHING, logs=(LOG, SIGN_INS[0])), APP).may_end


@pytest.mark.parametrize(
    ("days", "at_work"),
    [(0, True), (1, True), (4, False), (70, False)],
    ids=["after-the-logs", "not-in-the-logs", "in-the-logs", "before-the-logs"],
)
def test_a_report_of_entra_counts_as_far_as_the_logs_do_not_explain_it(days: int, at_work: bool) -> None:
    used = Used(source=Source.CREDENTIALS, last_on=AS_OF - days * DAY)
    reports = {credential(KEY): Work(used=[used])}
    strange = act(operation="sign-in", key=KEY, target="graph")
    shown = replace(NOTHING, acts=(strange,), outside=(strange,))
    assert work(shown, credential(KEY), work=reports).at_work is at_work
    # Without logs that cover it, it counts in any case.
    assert work(replace(shown, logs=(LOG,)), credential(KEY), work=reports).at_work


def test_production_that_left_a_version_is_told_from_a_thief_who_signs_as_it(tmp_path: Path) -> None:
    """Production signs with the version until the third day after the baseline, and a thief in its name since."""
    learned, left, last = 60, 62, 75
    days = [use(day, APP, target_id=VERSION, principal_id=OBJECT, network="20.50.1.4") for day in range(left + 1)]
    days += [use(day, APP, target_id=VERSION, principal_id=OBJECT, network="203.0.113.9") for day in range(left + 2, last)]
    logs = store(tmp_path / "logs", days)
    (tmp_path / "usual").mkdir()
    usual = learn(logs, Window(since=START, until=START + learned * DAY), into=tmp_path / "usual")
    window = Window(since=usual.until, until=START + last * DAY)
    with logs.connect(window, besides=[usual.folder]) as connection:
        usual.create_view(connection)
        for statement in statements(window):
            connection.execute(statement)
        strange = outside(connection, ASKED, window, reasons(held=True))
    with logs.connect() as connection:
        found = shown(connection, ASKED, strange, (), window.since)
    [used] = with_logs(radius(current="false"), found, ASKED, AS_OF).worked(VERSION).used
    assert (used.count, used.outside) == (len(days), last - left - 2)
    noon = START + DAY // 2
    assert (used.last_on, used.usual_on) == (noon + (last - 1) * DAY, noon + left * DAY)
