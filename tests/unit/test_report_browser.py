"""The report in a real browser: nothing fails, nothing is asked for, all moves by mouse, finger and keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sfigf.cli.report import report
from tests.browser import Browser, find_browser
from tests.unit.report_folder import write_statistics, write_study

VIEWER = "document.querySelector('#viewer-depth-x8-motorcycle')"
STAGE = f"{VIEWER}.querySelector('.stage')"
LENS = f"{VIEWER}.querySelector('.lens')"
TABLE = "document.querySelector('#table-depth-x8-all table')"
FIRST_COLUMN = f"[...{TABLE}.tBodies[0].rows].map(row => row.cells[0].textContent.trim())"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page lies."""
    folder = tmp_path_factory.mktemp("study")
    results = write_study(folder)
    write_statistics(results)
    report(results, folder / "report.html", samples=folder / "data")
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser; without one these tests are skipped."""
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium on PATH: the report is not tried in a browser")
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(started: Browser, address: str) -> Browser:
    """The page, freshly opened on a desk, in light."""
    started.resize(1280, 900)
    scheme(started, "light")
    started.ask("Emulation.setScriptExecutionDisabled", value=False)
    started.events.clear()
    started.open(address)
    return started


def scheme(browser: Browser, name: str) -> None:
    """What the system prefers."""
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])


def show_viewer(browser: Browser) -> None:
    """Scroll to the first pictures and wait until they are set up."""
    browser.run(f"{VIEWER}.scrollIntoView({{behavior: 'instant'}})")
    browser.wait(f"{STAGE}.querySelector('.left').naturalWidth > 0")


def box_of_stage(browser: Browser) -> list[float]:
    """Left, top, width and height of the stage on the screen."""
    return browser.run(f"(box => [box.left, box.top, box.width, box.height])({STAGE}.getBoundingClientRect())")


def faults(browser: Browser) -> list[dict]:
    """What the console says."""
    browser.run("1")
    said = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    return [event["params"] for event in browser.events if event.get("method") in said]


def focus(browser: Browser, selector: str) -> None:
    """Go to an element with the tabulator alone."""
    for _ in range(200):
        browser.press("Tab", 9)
        if browser.run(f"document.activeElement.matches({selector!r})"):
            return
    raise AssertionError(f"the tabulator never reaches {selector}")


def test_the_console_is_silent_and_no_request_leaves(browser: Browser, address: str) -> None:
    show_viewer(browser)
    for place in range(12):
        browser.run(f"scrollTo(0, document.body.scrollHeight * {place} / 11)")
    browser.run("new Promise(done => setTimeout(done, 300))")
    assert faults(browser) == []
    asked = [event for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    addresses = {event["params"]["request"]["url"] for event in asked}
    assert {each for each in addresses if not each.startswith("data:")} == {address}


def test_the_divider_moves_what_is_cut(browser: Browser) -> None:
    show_viewer(browser)
    cut = f"getComputedStyle({STAGE}.querySelector('.left')).clipPath"
    before = browser.run(cut)
    browser.run(
        f"(() => {{ const slider = {VIEWER}.querySelector('[data-move=split]'); slider.value = 80;"
        " slider.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    assert browser.run(cut) != before
    assert browser.run(f"{STAGE}.style.getPropertyValue('--split')") == "80%"


def test_the_mouse_drags_the_divider_and_leads_the_lens(browser: Browser) -> None:
    show_viewer(browser)
    box = browser.run(
        f"(({{left, top, width, height}}) => [left, top, width, height])({STAGE}.getBoundingClientRect())"
    )
    left, top, width, height = box
    spot = {"x": left + 0.25 * width, "y": top + 0.4 * height}
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", **spot)
    assert browser.run(f"!{LENS}.hidden")
    moved = browser.run(f"{LENS}.querySelector('img').style.transform")
    browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=spot["x"] + 60, y=spot["y"])
    assert browser.run(f"{LENS}.querySelector('img').style.transform") != moved
    for kind in ("mousePressed", "mouseReleased"):
        browser.ask("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **spot)
    assert abs(float(browser.run(f"{STAGE}.style.getPropertyValue('--split')").rstrip("%")) - 25) < 1


def test_a_finger_leads_the_lens(browser: Browser) -> None:
    browser.resize(390, 844, mobile=True)
    show_viewer(browser)
    left, top, width, height = box_of_stage(browser)
    point = {"x": left + 0.2 * width, "y": top + 0.7 * height}
    browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
    assert browser.run(f"!{LENS}.hidden")
    assert browser.run(f"{STAGE}.style.getPropertyValue('--split')") == "50%"
    browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_everything_can_be_done_with_the_keyboard(browser: Browser) -> None:
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    show_viewer(browser)
    browser.run(f"{VIEWER}.querySelector('[data-side=left]').focus()")
    focus(browser, ".stage")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("ArrowRight", 39)
    assert browser.run(f"!{LENS}.hidden")
    assert browser.run(f"{VIEWER}.querySelector('[data-move=across]').value") == "52"
    browser.press("Escape", 27)
    assert browser.run(f"{LENS}.hidden")
    focus(browser, "[data-move=split]")
    browser.press("ArrowRight", 39)
    assert browser.run(f"{STAGE}.style.getPropertyValue('--split')") == "50.5%"
    focus(browser, "[data-pick=left]")
    browser.press("Enter", 13)
    assert browser.run("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_error_maps_take_the_place_of_pictures(browser: Browser) -> None:
    show_viewer(browser)
    right = f"{STAGE}.querySelector('.right')"
    before = browser.run(f"{right}.src")
    assert browser.run(f"{right}.alt").startswith("motorcycle restored by SFIGF")
    browser.run(f"{VIEWER}.querySelector('[data-errors]').click()")
    assert browser.run(f"{right}.src") != before
    assert browser.run(f"{right}.alt").startswith("Absolute error of SFIGF")
    assert browser.run(f"{STAGE}.querySelector('.tag.right').textContent") == "SFIGF, error"


def test_a_table_sorts_by_click_and_by_key_and_goes_back(browser: Browser) -> None:
    before = browser.run(FIRST_COLUMN)
    button = f"{TABLE}.tHead.rows[0].cells[2].querySelector('button')"
    browser.run(f"{button}.click()")
    values = browser.run(f"[...{TABLE}.tBodies[0].rows].map(row => parseFloat(row.cells[2].dataset.value))")
    assert values == sorted(values)
    assert browser.run(f"{TABLE}.tHead.rows[0].cells[2].getAttribute('aria-sort')") == "ascending"
    assert "Sorted by RMSE" in browser.run("document.getElementById('status').textContent")
    browser.run(f"{button}.focus()")
    browser.press("Enter", 13)
    assert browser.run(f"parseFloat({TABLE}.tBodies[0].rows[0].cells[2].dataset.value)") == max(values)
    browser.press(" ", 32)
    assert browser.run(FIRST_COLUMN) == before


def test_what_has_no_value_stays_below(browser: Browser) -> None:
    for _ in range(2):
        browser.run(f"{TABLE}.tHead.rows[0].cells[3].querySelector('button').click()")
        assert browser.run(f"{TABLE}.tBodies[0].rows[6].cells[3].textContent.trim()") == "n/a"


def test_the_theme_follows_the_system_and_the_button(browser: Browser) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.run(paper)
    scheme(browser, "dark")
    dark = browser.run(paper)
    assert dark != light
    button = "document.getElementById('theme')"
    browser.run(f"{button}.click()")
    assert browser.run(f"{button}.textContent") == "Theme: light"
    assert browser.run(paper) == light
    browser.run(f"{button}.click()")
    scheme(browser, "light")
    assert browser.run(paper) == dark
    browser.run(f"{button}.click()")
    assert browser.run(paper) == light


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_overflows_a_narrow_screen(browser: Browser, width: int) -> None:
    browser.resize(width, 844, mobile=True)
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    show_viewer(browser)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("innerWidth") == width


def test_without_script_everything_is_still_there(browser: Browser, address: str) -> None:
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(address)
    box = "document.querySelector('.gallery img')"
    assert browser.run(f"{box}.getBoundingClientRect().width") > 200
    assert browser.run("getComputedStyle(document.querySelector('.bench')).display") == "none"
    assert browser.run("document.querySelectorAll('.gallery img').length") > 20
