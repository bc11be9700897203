"""The page in a real browser: quiet, offline, in every width and on paper, by keyboard and for a screen reader."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from keyaudit import ask
from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Past, Report
from keyaudit.model.severity import Severity
from keyaudit.questions.incident import html as incident
from keyaudit.report.html import write
from keyaudit.report.html.first import PRINTED, first_page
from tests import needs
from tests.clock import COLLECTED
from tests.estates import snapshot
from tests.report.browser import Shown, browser, shown
from tests.report.example import AS_OF, CLEAN, DAY, GATED, REPORT
from tests.report.fixed import fixed_apart
from tests.report.hostile import hostile
from tests.report.sinks import CORPUS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAST = Past(run_id="earlier", as_of=AS_OF - 30 * DAY, open={Severity.HIGH: 9}, unknown=1, complete=True)
pytestmark = pytest.mark.exhaustive
REPORTS: dict[str, Callable[[], Report]] = {
    "report": lambda: structs.replace(REPORT, history=(_PAST,)),
    "gated": lambda: GATED,
    "clean": lambda: CLEAN,
    "script": lambda: hostile(CORPUS["N7 html"]),
    "long": lambda: hostile(CORPUS["N11 long"]),
}
WIDTHS = (1280, 820, 390)
SCHEMES = ("light", "dark")
# What a browser works out of a page for those who read it by ear.
_UNNAMED = """() => [...document.querySelectorAll('table, nav, main, section, svg[role=img], [role=region]')].filter(
    each => !each.matches('main') && !(each.getAttribute('aria-label') || each.getAttribute('aria-labelledby')
        || each.querySelector(':scope > caption'))).map(each => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def opened() -> Iterator["Browser"]:
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {name: _written(make(), folder / f"{name}.html") for name, make in REPORTS.items()}


def _written(report: Report, path: Path) -> Path:
    with path.open("wb") as out:
        write(report, out)
    return path


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_is_quiet_and_asks_for_nothing_and_fits(opened: "Browser", pages: dict[str, Path], name: str, width: int) -> None:
    with shown(opened, pages[name], width=width) as page:
        assert (page.said, page.asked) == ([], [pages[name].as_uri()])
        assert page.page.evaluate("document.documentElement.scrollWidth") == width


def test_the_policy_of_its_contents_is_kept(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        style = page.page.evaluate("getComputedStyle(document.querySelector('.tiles')).display")
        assert style == "flex"
        page.page.evaluate(
            """() => {
                window.refused = [];
                document.addEventListener('securitypolicyviolation', event => window.refused.push(event.effectiveDirective));
                for (const [tag, name] of [['img', 'src'], ['script', 'src'], ['iframe', 'src']]) {
                    const added = document.createElement(tag);
                    added[name] = 'https://example.invalid/x';
                    document.body.append(added);
                }
                const styled = document.createElement('style');
                styled.textContent = 'h1 { display: none }';
                document.head.append(styled);
            }"""
        )
        page.page.wait_for_function("window.refused.length >= 4")
        refused = set(page.page.evaluate("window.refused"))
        assert refused == {"img-src", "script-src-elem", "frame-src", "style-src-elem"}
        assert page.page.evaluate("getComputedStyle(document.querySelector('h1')).display") == "block"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["report", "gated", "clean"])
def test_axe_finds_nothing_serious(opened: "Browser", pages: dict[str, Path], name: str, scheme: str) -> None:
    with shown(opened, pages[name], color_scheme=scheme, bypass_csp=True) as page:
        page.page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert grave(page) == []


def grave(page: Shown) -> list[str]:
    """What axe finds serious or critical."""
    page.page.evaluate(needs.npm("axe-core/axe.min.js").read_text("utf-8"))
    found = page.page.evaluate("() => axe.run()")
    assert found["passes"]
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def test_the_graph_of_an_incident_fits_and_is_scrolled_by_keyboard(opened: "Browser", tmp_path: Path) -> None:
    found = ask.incident(open_snapshot(snapshot("contoso")), "etl-runner", as_of=COLLECTED)
    page = tmp_path / "incident.html"
    with page.open("w", encoding="utf-8") as out:
        incident.render(found, out)
    with shown(opened, page, width=WIDTHS[-1], color_scheme="dark", bypass_csp=True) as window:
        assert (window.said, window.page.evaluate("document.documentElement.scrollWidth")) == ([], WIDTHS[-1])
        assert grave(window) == []
        graph = window.page.locator("[aria-label=Graph]")
        graph.focus()
        window.page.keyboard.press("ArrowRight")
        window.page.wait_for_function("document.querySelector('[aria-label=Graph]').scrollLeft > 0")
        assert window.page.get_by_role("img", name="The key and").count() == 1


def test_a_screen_reader_finds_its_way(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        tree = page.page.locator("body").aria_snapshot()
        assert tree.count("- heading ") > 15
        for landmark in (
            "- banner:",
            "- main:",
            '- navigation "Contents":',
            '- region "Findings":',
            '- region "Expiry calendar":',
        ):
            assert landmark in tree
        assert "[level=1]" in tree.split("- main:")[0]
        assert page.page.evaluate(_UNNAMED) == []
        levels = page.page.evaluate("() => [...document.querySelectorAll('h1,h2,h3,h4')].map(each => Number(each.tagName[1]))")
        assert levels[0] == 1
        assert max(after - before for before, after in pairwise(levels)) <= 1


def test_all_is_reached_and_opened_by_keyboard(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        keyboard = page.page.keyboard
        keyboard.press("Tab")
        assert _focused(page)["text"] == "Skip to the report"
        assert page.page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
        keyboard.press("Enter")
        assert page.page.evaluate("document.activeElement.id") == "main"
        reached = set()
        for _ in range(400):
            keyboard.press("Tab")
            now = _focused(page)
            if now["tag"] == "BODY":
                break
            reached.add(now["place"])
            if now["tag"] == "SUMMARY" and not now["open"]:
                keyboard.press("Enter")
                assert _focused(page)["open"]
        closed = page.page.evaluate("document.querySelectorAll('main details:not([open])').length")
        assert (closed, len(reached) > 30) == (0, True)


def _focused(page: Shown) -> dict[str, Any]:
    found: dict[str, Any] = page.page.evaluate(
        """() => {
            const it = document.activeElement, box = it.getBoundingClientRect();
            return {tag: it.tagName, text: it.textContent.trim(), open: !!it.parentElement?.open,
                place: `${it.tagName} ${box.left} ${box.top + scrollY}`};
        }"""
    )
    return found


_SHOWN = "[...document.querySelectorAll('main > section')].filter(each => each.getClientRects().length).map(each => each.id)"


def test_the_worst_findings_for_paper_are_not_on_the_screen(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        assert "findings" in page.page.evaluate(_SHOWN)
        assert "top" not in page.page.evaluate(_SHOWN)


def test_paper_has_the_short_form_and_tables_repeat_their_heads(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"], color_scheme="dark") as page:
        page.page.emulate_media(media="print")
        assert page.page.evaluate(_SHOWN) == ["top", "coverage", "controls", "method"]
        assert page.page.evaluate("document.querySelector('#controls .figures table').getClientRects().length") == 1
        assert page.page.evaluate("document.querySelectorAll('#top th[scope=row]').length") == 3
        steps = "[...document.querySelectorAll('#top pre')].filter(each => each.checkVisibility()).length"
        assert page.page.evaluate(steps) == sum(
            part.is_command for each in first_page(REPORT, PRINTED).rows for part in each.steps
        )
        computed = "getComputedStyle(document.querySelector('{}')).{}"
        assert page.page.evaluate(computed.format("thead", "display")) == "table-header-group"
        assert page.page.evaluate(computed.format(".contents", "display")) == "none"
        assert page.page.evaluate(computed.format("body", "backgroundColor")) == "rgb(255, 255, 255)"
        paper = page.page.pdf(format="A4")
        assert paper.startswith(b"%PDF")
        assert 2 <= len(re.findall(rb"/Type\s*/Page[^s]", paper)) <= 8
        assert len(paper) > 20_000


def _rows(page: Shown) -> list[str]:
    """The ids of the findings that can be seen once every group is open."""
    page.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    found: list[str] = page.page.evaluate(
        "[...document.querySelectorAll('.items > li')].filter(each => each.checkVisibility()).map(each => each.id.slice(2))"
    )
    return found


def test_filters_leave_what_fits_and_nothing_else(opened: "Browser", pages: dict[str, Path]) -> None:
    listed = {finding.id: (owner, finding) for owner, finding in REPORT.owned(False)}
    with shown(opened, pages["report"]) as page:
        assert sorted(_rows(page)) == sorted(listed)
        for severity in Severity:
            page.page.select_option("#filter-severity", severity.value)
            failing = {id_ for id_, (_, each) in listed.items() if each.outcome is Outcome.FAIL and each.severity is severity}
            page.page.select_option("#filter-status", "open")
            assert set(_rows(page)) == {id_ for id_ in failing if not listed[id_][1].known}
            page.page.select_option("#filter-status", "")
        page.page.click("#filter-reset")
        assert sorted(_rows(page)) == sorted(listed)
        page.page.fill("#filter-text", "CODESIGN rotation")
        some = set(_rows(page))
        assert 0 < len(some) < len(listed)
        every, matching = (Counter(_status(listed[id_][1]) for id_ in ids) for ids in (listed, some))
        said = page.page.inner_text("#filter-count").removeprefix("Matching: ").split(", ")
        assert sorted(said) == sorted(f"{matching[status]} of {count} {status}" for status, count in every.items())
        # The heading and the filter have one number of open findings.
        assert every["open"] == sum(REPORT.verdict.failed.values())
        page.page.fill("#filter-text", "no such words")
        assert _rows(page) == []


def _status(finding: Finding) -> str:
    if finding.outcome is Outcome.UNKNOWN:
        return "unknown"
    return "waived" if finding.outcome is Outcome.WAIVED else "known" if finding.known else "open"


def test_a_filter_leaves_the_commands_of_what_it_leaves(opened: "Browser", tmp_path: Path) -> None:
    with shown(opened, _written(fixed_apart(3), tmp_path / "fixed.html")) as page:
        assert len(_commands(page)) == 3
        page.page.fill("#filter-text", "codesign-0001")
        assert len(_rows(page)) == 1
        [command] = _commands(page)
        assert "--name codesign-0001" in command
        page.page.click("#filter-reset")
        assert len(_commands(page)) == 3


def test_a_filter_hides_what_is_not_its_own_and_is_in_the_address(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        page.page.select_option("#filter-severity", "high")
        address = page.page.url
        assert address.endswith("#?severity=high")
        kept = _rows(page)
        assert not set(page.page.evaluate(_SHOWN)) - {"findings", "unseen"}
        levels = ".first li:not([hidden]) > .severity"
        assert set(page.page.locator(levels).all_inner_texts()) <= {"high"}
        # The page that somebody sends names its tenant and what is incomplete.
        said = page.page.inner_text("header")
        assert "REFUSED FOR SAFETY" in said
        assert "Also incomplete" in said
        page.page.goto("about:blank")
        page.page.goto(address)
        assert (page.page.input_value("#filter-severity"), _rows(page)) == ("high", kept)
        page.page.click("#filter-reset")
        assert page.page.url == pages["report"].as_uri()
        assert "expiry" in page.page.evaluate(_SHOWN)
        assert page.said == []


@pytest.mark.parametrize("refused", [False, True])
def test_a_command_is_copied_or_at_least_selected(opened: "Browser", tmp_path: Path, refused: bool) -> None:
    with shown(opened, _written(fixed_apart(1), tmp_path / "fixed.html")) as page:
        page.page.evaluate(
            """refused => { window.taken = ""; navigator.clipboard.writeText = text =>
                refused ? Promise.reject() : Promise.resolve(window.taken = text); }""",
            refused,
        )
        [command] = _commands(page)
        page.page.focus(".copy")
        page.page.keyboard.press("Enter")
        page.page.wait_for_timeout(50)
        assert page.page.evaluate("window.taken || getSelection().toString()").strip() == command.strip()
        assert page.said == []


def _commands(page: Shown) -> list[str]:
    """The commands that can be seen once every group is open."""
    _rows(page)
    found: list[str] = page.page.evaluate(
        "[...document.querySelectorAll('#findings pre')].filter(each => each.checkVisibility()).map(each => each.textContent)"
    )
    return found


@pytest.mark.parametrize("view", ["owner", "resource", "all"])
def test_another_view_has_the_same_findings(opened: "Browser", pages: dict[str, Path], view: str) -> None:
    listed = {finding.id: owner for owner, finding in REPORT.owned(False)}
    with shown(opened, pages["report"]) as page:
        page.page.select_option("#filter-view", view)
        page.page.evaluate("document.querySelectorAll('#arranged details').forEach(each => { each.open = true; })")
        page.page.wait_for_timeout(100)
        links = page.page.evaluate("[...document.querySelectorAll('#arranged tbody th a')].map(each => each.hash.slice(3))")
        times = {id_: max(len(owner.names), 1) if view == "owner" else 1 for id_, owner in listed.items()}
        assert Counter(links) == Counter(times)
        assert page.said == []


def test_a_link_opens_its_finding_though_a_filter_hides_it(opened: "Browser", pages: dict[str, Path]) -> None:
    first = next(finding.id for _, finding in REPORT.owned(False) if finding.severity is not Severity.INFO)
    with shown(opened, pages["report"]) as page:
        page.page.select_option("#filter-severity", "info")
        page.page.evaluate("id => { location.hash = `f-${id}`; }", first)
        page.page.wait_for_timeout(100)
        assert page.page.is_visible(f"#f-{first}")


def test_without_scripts_everything_is_there_and_no_filter_is(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"], java_script_enabled=False) as page:
        assert not page.page.is_visible("#filters")
        assert page.page.locator(".items > li").count() == sum(1 for _ in REPORT.owned(False))


def test_on_paper_no_filter_is_shown(opened: "Browser", pages: dict[str, Path]) -> None:
    with shown(opened, pages["report"]) as page:
        page.page.emulate_media(media="print")
        assert not page.page.is_visible("#filters")
        assert not page.page.is_visible("#arranged")
