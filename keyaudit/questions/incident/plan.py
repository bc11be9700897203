"""The plan: first against the users of the key, then that of its blast radius; and what it does not close."""

from collections.abc import Iterator

from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.values.text import listed, one_line
from keyaudit.model.values.times import iso_date
from keyaudit.questions.blast_radius.activity import credential
from keyaudit.questions.blast_radius.identities import stopped
from keyaudit.questions.blast_radius.plan import left
from keyaudit.questions.blast_radius.plan import plan as plan_of_trust
from keyaudit.questions.blast_radius.work import suspected
from keyaudit.questions.incident.answer import LIKELY, Act, Incident
from keyaudit.questions.incident.words import bounds
from keyaudit.report.lines import plural
from keyaudit.report.steps import Phase, Step, option_word, powershell_word, word

_ASKED = 10
"""The maximum number of users that a step names."""


def plan(found: Incident) -> list[Step]:
    """Every step, in order. A step that two plans have in common is there once. With --verify, those that are not done."""
    if found.radius.verify:
        return left(found.radius)
    own = [*_keep(found), *_against(found), *_touched(found)]
    stopped_, removed = {step.stops for step in own} - {""}, {act.credential for act in _added(found)}
    trust = [
        step
        for step in plan_of_trust(found.radius)
        if step.stops not in stopped_ and (step.settles is None or step.settles.facts.get("key_id", "").lower() not in removed)
    ]
    return sorted([*own, *trust], key=lambda step: list(Phase).index(step.phase))


def left_open(found: Incident) -> list[str]:
    """The sentences on what the plan does not close."""
    if found.radius.verify:
        return []
    seen = found.observed
    told = ["Tokens and sessions that were issued stay valid until they expire, unless they are revoked."]
    if found.extractable is not False:
        told.append("A stolen copy of it keeps working until nothing accepts it any more.")
    if seen is None:
        told.append("Without logs, later actions of the key's users are unknown: collect the logs before they expire.")
        return told
    if seen.mailboxes.least:
        owners = _mailboxes(found)
        named = f" Known of them: {owners}." if owners else ""
        told.append(f"Mail was read in {bounds(seen.mailboxes, 'mailbox', 'mailboxes')}. Inform the owners.{named}")
    elif seen.mailboxes.most is None:
        told.append("Whether mail was read with it is unknown.")
    if found.touched:
        count = plural(len(found.touched), "other secret or key", "other secrets and keys")
        told.append(f"{count} of vaults: each stays usable by the thief until its step in the plan is done.")
    if seen.absent or seen.unseen or seen.vault_logged is False:
        told.append("Missing logs may show more than this page: supply them and run it again.")
    return told


def _mailboxes(found: Incident) -> str:
    """The owners of mailboxes that were read, as far as the acts name them."""
    acts = [act for act in found.strange if act.operation == "read-mail" and act.target_kind == "mailbox"]
    names = sorted({one_line(each) for act in acts for each in act.objects})
    return ", ".join(names[:_ASKED]) + (f" and {len(names) - _ASKED:,} more" if len(names) > _ASKED else "")


def _keep(found: Incident) -> Iterator[Step]:
    """What is gone later: logs expire, and the plan changes what the snapshot shows."""
    # https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention
    text = (
        "Entra keeps its sign-ins and audit events for 30 days, without a P1 or P2 licence for 7. Copy them, the logs of vaults"
        " and mail, a snapshot and this page to where nobody on this page can write. Keep them until the incident is closed."
    )
    logs = () if found.observed else ("keyaudit usage collect --rows --out incident-logs",)
    kept = () if found.radius.kept_in else ("keyaudit collect --out incident-snapshot",)
    yield Step(
        phase=Phase.KEEP,
        title="Keep the evidence before anything is changed",
        text=text,
        breaks="nothing",
        commands=(*logs, *kept),
    )


def _against(found: Incident) -> Iterator[Step]:
    done: set[str] = set()
    for act in found.strange:
        app = act.actor.app_id
        # One that shares no more than a network may be anybody's.
        known = act.link not in LIKELY or found.radius.worked(app or "").only_outside
        if app and app not in FIRST_PARTY and app not in done and known:
            done.add(app)
            name = one_line(act.actor.shown)
            title = f"Stop {name} from signing in, if nobody planned its uses outside the baseline"
            yield stopped(found.radius, app, option_word("--id", app), title=title, name=name)
    yield from _people(found)
    yield from _came_along(found)
    yield from _credentials(found)
    yield from _federation(found)
    for act in found.strange:
        if act.operation == "remove-log-settings":
            for resource in act.objects:
                place = option_word("--resource", resource.partition("/providers/microsoft.insights")[0])
                yield Step(
                    phase=Phase.REPLACE,
                    title=f"Check that the diagnostic setting {one_line(resource.rpartition('/')[2])} is there again",
                    text="The command lists the settings that exist. Treat everything in between as not logged.",
                    breaks="nothing",
                    commands=(f"az monitor diagnostic-settings list {place}",),
                )


def _people(found: Incident) -> Iterator[Step]:
    """The users who did something outside the baseline, by themselves or with a program of Microsoft."""
    acts: dict[str, list[Act]] = {}
    for act in found.strange:
        user, app = act.actor.principal_id or "", act.actor.app_id or ""
        if user and (not app or app in FIRST_PARTY) and act.link not in LIKELY:
            acts.setdefault(user, []).append(act)
    for user, done in acts.items():
        id_, name = powershell_word(user), one_line(done[0].actor.shown)
        what = listed(list(dict.fromkeys(act.operation for act in done)))
        count, last = sum(act.count for act in done), iso_date(max(act.last_on for act in done))
        told = f"{plural(count, 'act')} outside the baseline ({what}), the last on {last}."
        if "@" not in user and user not in found.people:
            yield Step(
                phase=Phase.BLOCK,
                title=f"Find out who {name} is, and stop it, if nobody planned these acts outside the baseline",
                text=f"{told} No command is printed, because the snapshot does not say whether this is a user.",
                breaks="everything that it does",
            )
            continue
        # https://learn.microsoft.com/entra/identity/users/users-revoke-access
        yield Step(
            phase=Phase.BLOCK,
            title=f"Stop user {name} from signing in, if nobody planned these acts outside the baseline",
            text=(
                f"{told} First make sure that another administrator can sign in. A user that is synchronised from Active"
                f" Directory is disabled there, too. To see that it worked: Get-MgUser -UserId {id_} -Property AccountEnabled."
                f" To go back: Update-MgUser -UserId {id_} -AccountEnabled:$true."
            ),
            breaks=f"everything that {name} does; existing access tokens stay valid until they expire (an hour by default)",
            commands=(f"Update-MgUser -UserId {id_} -AccountEnabled:$false", f"Revoke-MgUserSignInSession -UserId {id_}"),
            language="powershell",
        )


def _federation(found: Incident) -> Iterator[Step]:
    """The changes of federation to undo."""
    for act in found.strange:
        for domain in act.objects if act.operation == "change-federation" else ():
            of_domain = f"-DomainId {powershell_word(domain)}"
            restore = (
                f"Update-MgDomainFederationConfiguration {of_domain} -InternalDomainFederationId $f.Id"
                " -BodyParameter @{signingCertificate = 'YOUR-CERTIFICATE'; nextSigningCertificate = $null}"
            )
            yield Step(
                phase=Phase.REVOKE,
                title=f"Undo the change of the federation of {one_line(domain)} by {one_line(act.actor.shown)} on"
                f" {iso_date(act.first_on)}, if nobody planned it",
                text=(
                    "Keep the output of the first command, and compare its issuer and both of its certificates with those of"
                    " your identity provider. If they are not yours, set your own again with the second command, or, if the"
                    " domain was not federated before, make it managed in the Microsoft Entra admin center."
                ),
                breaks=f"sign-ins of users of {one_line(domain)}, if the certificate is not that of their identity provider",
                commands=(f"$f = Get-MgDomainFederationConfiguration {of_domain}; $f | Format-List", restore),
                language="powershell",
            )


def _touched(found: Incident) -> Iterator[Step]:
    """The steps for the other secrets and keys of vaults that the thieves read or used."""
    for target, acts in found.touched.items():
        name = one_line(target.partition("://")[2].partition(".")[0] + "/" + target.rpartition("/")[2])
        who = listed(list(dict.fromkeys(one_line(act.actor.shown) for act in acts)))
        count, last = sum(act.count - act.refused for act in acts), iso_date(max(act.last_on for act in acts))
        unsure = "" if all(act.outside for act in acts) else " Without a baseline this may be legitimate work."
        if acts[0].operation == "read-secret":
            used = found.consumers.get(target, ())
            users = (
                f"Set to use it: {listed([*map(one_line, used)])}." if used else "No service that was read is set to use it."
            )
            yield Step(
                phase=Phase.REPLACE,
                title=f"Replace secret {name}, which {who} read",
                text=f"Read {plural(count, 'time')}, the last on {last}: treat its value as stolen.{unsure} {users} The first"
                " command has its own plan, and the second shows who has to move.",
                breaks="nothing, until the old value is revoked",
                commands=(f"keyaudit incident {word(target)}", f"keyaudit rotation {word(target)}"),
            )
        else:
            yield Step(
                phase=Phase.REPLACE,
                title=f"Find out what {who} did with key {name}",
                text=f"Used {plural(count, 'time')}, the last on {last}. Its signatures stay valid until nothing trusts the"
                f" key, and data that it unwrapped may be known.{unsure} The page of the key shows who trusts it.",
                breaks="nothing",
                commands=(f"keyaudit incident {word(target)}",),
            )


def _came_along(found: Incident) -> Iterator[Step]:
    """The users as whom somebody acted from a network, or with a program, that only the actors used."""
    for because in dict.fromkeys(act.because for act in found.strange if act.link in LIKELY):
        acts = [act for act in found.strange if act.because == because]
        named = {each for act in acts for each in (act.actor.principal_id or "", *act.objects) if "@" in each}
        named |= {act.actor.principal_id or "" for act in acts if act.operation == "saml-sign-in"}
        users = sorted(map(one_line, named - {""}))
        if users:
            more = f" and {len(users) - _ASKED:,} more" if len(users) > _ASKED else ""
            yield Step(
                phase=Phase.BLOCK,
                title=f"Ask these users whether it was them: somebody {one_line(because)}",
                text=f"{', '.join(users[:_ASKED])}{more}. If not, revoke their sessions and reset how they sign in.",
                breaks="their sessions, which they can start again",
            )


def _added(found: Incident) -> list[Act]:
    """The additions of credentials to remove: those outside the baseline, and of those that the subject signed in with."""
    seen = found.observed
    if seen is None:
        return []
    used = {act.credential for act in seen.uses if act.operation == "sign-in" and act.outside != ()}
    acts = [*found.strange, *(act for act in seen.causes if act.credential in used)]
    added = [act for act in acts if act.operation == "add-credential" and act.credential]
    return list({(act.credential, act.target_kind, tuple(act.objects)): act for act in reversed(added)}.values())[::-1]


def _credentials(found: Incident) -> Iterator[Step]:
    radius = found.radius
    for act in _added(found):
        key = act.credential or ""
        work = radius.worked(credential(key))
        of = "app" if act.target_kind == "application" else "sp"
        cert = " --cert" if found.kinds.get(key) == "certificate" else ""
        there = key in found.kinds
        printed = work.may_end or work.only_outside or (radius.stated and there)
        why = suspected(radius, work) if there or printed else "No command is printed, because the snapshot does not have it."
        unsure = "" if there else " For a certificate add --cert: the log does not say what it is."
        planned = "" if act.outside else ", if nobody planned that"
        for holder in act.objects:
            delete = f"az ad {of} credential delete {option_word('--id', holder)}"
            yield Step(
                phase=Phase.REVOKE,
                title=f"Remove credential {one_line(key)}, which {one_line(act.actor.shown)} added on {iso_date(act.first_on)}"
                f"{planned}",
                text=f"{why}{unsure} First stop the application, as above: that can be undone.",
                breaks="everything that signs in with it",
                commands=(
                    f"az ad {of} credential list {option_word('--id', holder)}{cert}",
                    *((f"{delete} {option_word('--key-id', key)}{cert}",) if printed else ()),
                ),
            )
