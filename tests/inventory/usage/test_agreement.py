"""`usage check` and the policies find the same in a window: generated windows, compared with each other."""

import random
from pathlib import Path

import duckdb
import pytest

from keyaudit.inventory.facts.sql import Sources
from keyaudit.inventory.logs import Use
from keyaudit.inventory.rows import no_rows, stored_types
from keyaudit.inventory.usage.baseline import open_baseline
from keyaudit.inventory.usage.learn import learn
from keyaudit.inventory.views.logs import unusual
from keyaudit.logs.check.check import check
from keyaudit.model.tables import TABLES
from keyaudit.model.usage import Window
from keyaudit.model.values.times import DAY
from tests.logs import START, TENANT, mail, store, use

LEARNED, AFTER = 45, 40
WHOLE = ("privileged", "new-operation", "new-app", "new-target", "many-mailboxes", "many-in-one-hour")
"""What is unusual as a whole, not for a value of its own."""
APPS = ("app", "other", "stranger", "d3590ed6-52b3-4102-aeff-aad2292ab01c", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "")


def generated(chance: random.Random) -> list[Use]:
    """Uses of a few keys and mailboxes, by fewer applications in the days that are learned from."""
    found = []
    for day in range(LEARNED + AFTER):
        apps = APPS[: 3 if day < LEARNED else None]
        for _ in range(chance.randrange(1, 7)):
            app, principal = chance.choice(apps), chance.choice((None, "p", "q"))
            if chance.random() < 0.3:
                boxes, at = chance.choice((1, 1, 2, 4, 25)), chance.choice(("10.0.0.1", f"10.{chance.randrange(99)}.3.1"))
                columns = {"principal_id": principal, "network": at, "uses": chance.choice((1, 1, 400))}
                found += [mail(day, app, f"m{box}@contoso.example", **columns) for box in range(boxes)]
                continue
            if chance.random() < 0.1:
                signed_in = {"operation": "saml-sign-in", "target_kind": "application", "source": "SigninLogs"}
                near = chance.choice(("10.0.0.1", f"10.{chance.randrange(99)}.4.1"))
                for user in range(chance.choice((1, 2, 5))):
                    found.append(use(day, "", **signed_in, target_id=principal or "a", principal_id=f"u{user}", network=near))
                continue
            if chance.random() < 0.1:
                change = {
                    "operation": "grant-permission",
                    "target_kind": "application",
                    "target_id": "a",
                    "source": "AuditLogs",
                }
                found.append(use(day, app, **change, privileged=chance.choice((None, True)), principal_id=principal))
                found += [use(day, app, operation="list", target_kind="vault", target_id="v", uses=chance.choice((2, 70)))]
                continue
            key = f"https://v.vault.azure.net/keys/{chance.choice('kl')}/{chance.choice('ab') * 32}"
            columns = {"client_app_id": chance.choice((None, "caller")), "principal_id": principal, "target_id": key}
            operation = chance.choice(("sign", "sign", "decrypt", "verify"))
            network, let_in = chance.choice(("10.0.0.1", "10.9.9.9")), chance.random() > 0.1
            found.append(use(day, app, operation=operation, network=network, succeeded=let_in, **columns))
        if day == LEARNED:
            found += [mail(day, "app", f"m{box}@contoso.example", network=f"172.{box}.3.1") for box in range(24)]
    return found


def agree(folder: Path, seed: int, windows: int) -> set[tuple[str, str]]:
    """Gives the operations that were told of, each with why."""
    chance = random.Random(seed)
    logs = store(folder / f"logs{seed}", generated(chance))
    made = folder / f"baseline{seed}"
    made.mkdir()
    learn(logs, Window(since=START, until=START + LEARNED * DAY), into=made)
    baseline = open_baseline(made)
    with duckdb.connect() as writer:
        learned = baseline.copy_rows(writer, folder / f"rows{seed}", f"/tenants/{TENANT}")
    assert learned.rows == baseline.rows
    with logs.connect(besides=[made]) as connection:
        empty = {name: f"({no_rows(stored_types(TABLES[name]))})" for name in ("usage_log", "vault")}
        baseline.create_view(connection)
        # The ledger, which says what may be missing besides: here nothing is.
        connection.execute("CREATE TABLE coverage (operation VARCHAR, state VARCHAR, reason VARCHAR, scope_id VARCHAR)")
        of_baseline = "(SELECT *, target AS target_class, nullif(app, '') AS app_id FROM belongs)"
        sources = {**empty, "usage": "usage", "usage_baseline": of_baseline}
        kinds = set[tuple[str, str]]()
        for _ in range(windows):
            window = Window(since=START + LEARNED * DAY, until=START + (LEARNED + chance.randrange(1, AFTER)) * DAY)
            found = check(logs, window, baseline)
            told = {
                (each.operation, each.target, each.app_id, str(why.kind), str(why.severity), why.uses, why.last_on)
                for each in found.findings
                for why in each.why
            }
            for statement in unusual.prepare(Sources(sources), window):
                connection.execute(statement)
            view = unusual.view(Sources(sources), f"/tenants/{TENANT}", window.until, window)
            rows = connection.execute(
                "SELECT operation, target_class, coalesce(app_id, ''), kind, risk, uses, last_on"
                f" FROM ({view}) WHERE kind IS NOT NULL"
            ).fetchall()
            assert set(rows) == told
            kinds |= {(row[0], row[3]) for row in rows}
            assert len(rows) == sum(len(each.why) for each in found.findings)
            shown = connection.execute(
                "SELECT name, operation, coalesce(app_id, ''), kind, new_values, objects, principals, networks, records"
                f" FROM ({view}) WHERE kind IS NOT NULL"
            ).fetchall()
            for name, operation, app, kind, new, *lists in shown:
                assert name == f"{operation} by {app or 'no application'}"
                assert bool(new) == (kind not in WHOLE)
                assert None not in lists
    return kinds


def test_a_few_windows_agree(tmp_path: Path) -> None:
    assert ("read-mail", "many-new-networks") in agree(tmp_path, 1, 6)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(2, 4))
def test_many_windows_agree(tmp_path: Path, seed: int) -> None:
    agree(tmp_path, seed, 30)
