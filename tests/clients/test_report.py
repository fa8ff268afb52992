"""A real browser opens report pages from files: figures, table, keyboard, theme, phone, hostile text.

Chromium comes from the system (DPO_KIT_CHROMIUM, or chromium in PATH) and is driven by Playwright.
"""

import os
import shutil
import time
from pathlib import Path

import pytest

from conftest import deno

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright could not be installed")

CHROMIUM = os.environ.get("DPO_KIT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
PAGES = ["plain", "hostile", "two", "two_hostile", "running", "bare"]
DRAWN = "[...document.querySelectorAll('[data-figure]')].filter((p) => p.querySelector('.main-svg')).length"
OPEN_PLACES = "[...document.querySelectorAll('[data-figure]')].filter((p) => !p.closest('details:not([open])')).length"


def until(page, expression: str, seconds: float = 15) -> None:
    """Waits for a page; Playwright's own way is a script that the page's policy forbids."""
    end = time.monotonic() + seconds
    while not holds(page, expression):
        assert time.monotonic() < end, f"not within {seconds} s: {expression}"
        page.wait_for_timeout(50)


def holds(page, expression: str) -> bool:
    try:
        return page.evaluate(expression)
    except sync_api.Error as error:
        if "context was destroyed" in str(error):  # the page is being read again
            return False
        raise


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report")
    deno("tests/clients/write_reports.ts", str(path))
    return path


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no chromium in PATH; Debian has it as the package chromium")
    with sync_api.sync_playwright() as playwright:
        with playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
            yield browser


@pytest.fixture
def visit(browser, folder):
    """Opens a page; what the browser complains of, or asks the network for, fails the test."""
    complaints, contexts = [], []

    def visit(name: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((folder / f"{name}.html").as_uri())
        until(page, f"{DRAWN} === {OPEN_PLACES}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_figures_are_drawn(visit, name):
    page = visit(name)
    assert page.evaluate(DRAWN) == {"bare": 8}.get(name, 8 + 3 + 3 + 1)
    assert page.locator(".main-svg .trace, .main-svg .bars, .main-svg .scatterlayer").count() > 8


@pytest.mark.parametrize("name", ["hostile", "two_hostile"])
def test_text_of_the_data_stays_text(visit, name):
    page = visit(name)
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    until(page, f"{DRAWN} === document.querySelectorAll('[data-figure]').length")
    for place in page.locator("tr[data-row], .t, mark").all()[:60]:
        place.dispatch_event("mouseover")
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator("main img, main script, main style, main iframe").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate("[...document.querySelectorAll('a')].every((a) => !/script:/.test(a.href.baseVal ?? a.href))")
    handlers = "[...document.querySelectorAll('body *')].flatMap((e) => [...e.attributes]).filter((a) => /^on/.test(a.name)).length"
    assert page.evaluate(handlers) == 0
    assert page.locator("footer").is_visible()  # no text of the data closed or hid what stands around it
    assert "<img" in page.locator(".samples").inner_text()


@pytest.mark.parametrize("name", ["plain", "hostile", "two"])
def test_figures_fit_the_whole_library(visit, folder, name):
    page = visit(name, bypass_csp=True)
    page.add_script_tag(path=str(folder / "plotly.js"))
    problems = page.evaluate("""() => {
      const figures = JSON.parse(document.getElementById("figures").textContent);
      return Object.entries(figures).flatMap(([id, { data, layout }]) =>
        (Plotly.validate(data, layout) ?? []).map(({ msg }) => `${id}: ${msg}`));
    }""")
    assert problems == []


def column(page, index: int) -> list[str]:
    return page.eval_on_selector_all(
        "#pair_table tbody tr:not([hidden])", f"(rows) => rows.map((row) => row.cells[{index}].innerText)"
    )


def numbers(texts: list[str]) -> list[float]:
    return [float(text.replace("−", "-").replace("✗", "").replace("mis-ranked", "")) for text in texts]


def test_pairs_are_sorted_filtered_and_searched(visit):
    page = visit("plain")
    margins = numbers(column(page, 2))
    assert margins == sorted(margins) and len(margins) == 40
    head = page.get_by_role("columnheader", name="Margin")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert numbers(column(page, 2)) == margins[::-1]
    rows = page.get_by_role("columnheader", name="Pair")
    rows.get_by_role("button").click()
    assert rows.get_attribute("aria-sort") == "ascending" and head.get_attribute("aria-sort") is None
    assert column(page, 0) == [str(i + 1) for i in range(40)]
    page.locator("#pair_controls").get_by_label("Kind").select_option("dose")
    assert set(column(page, 1)) == {"dose"} and page.locator("#pair_count").inner_text() == "20 of 40 pairs"
    page.locator("#pair_controls").get_by_label("Ranked").select_option("wrong")
    wrong = column(page, 0)
    assert wrong and all((int(row) - 1) % 5 == 0 for row in wrong)
    page.locator("#pair_controls").get_by_label("Kind").select_option("")
    page.locator("#pair_controls").get_by_label("Ranked").select_option("")
    page.locator("#pair_controls").get_by_label("Search").fill("NOTE 17: knee")
    assert column(page, 0) == ["18"]
    page.locator("#pair_controls").get_by_label("Search").fill("nothing like that")
    assert column(page, 0) == [] and page.locator("#pair_count").inner_text() == "0 of 40 pairs"


def test_the_keyboard_suffices(visit):
    page = visit("plain")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    head = page.get_by_role("columnheader", name="Kind")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    link = page.locator("#pair_table a").first
    row = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    view = page.locator(f"#pair_{row}_view")
    assert view.get_attribute("open") is not None
    assert page.evaluate(f"document.activeElement.parentElement.id === 'pair_{row}_view'")
    until(page, f"document.querySelector('#pair_{row} .main-svg')")
    page.keyboard.press("Space")
    until(page, f"!document.getElementById('pair_{row}_view').open")
    link.focus()
    page.keyboard.press("Enter")  # the same link again, which changes no hash
    until(page, f"document.getElementById('pair_{row}_view').open")
    assert page.evaluate(f"document.activeElement.parentElement.id === 'pair_{row}_view'")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # its tokens' numbers, which no pointer has to hover for
    until(page, f"document.querySelector('#pair_{row}_view .numbers').open")
    assert view.get_by_role("table").get_by_role("rowheader").count() == 6


def test_a_screen_reader_finds_names_and_headings(visit):
    page = visit("plain")
    assert page.get_by_role("heading", level=1).count() == 1
    for name in ["Summary", "Training", "Held-out pairs", "What the models prefer and write", "Readiness"]:
        assert page.get_by_role("region", name=name, exact=True).count() == 1
    for place in page.locator("[data-figure]").all()[:14]:
        assert len(place.get_attribute("aria-label")) > 30 and place.get_attribute("role") == "img"
    unnamed = page.evaluate("[...document.querySelectorAll('input, select, button')].filter((e) => !e.labels?.length && !e.innerText).length")
    assert unnamed == 0


@pytest.mark.parametrize("name, scheme", [("two", "dark"), ("running", "light")])
def test_axe_finds_nothing(visit, name, scheme):
    axe = pytest.importorskip("axe_core_python.sync_playwright").Axe()
    page = visit(name, color_scheme=scheme)
    if name == "running":
        page.get_by_label("reload every").uncheck()
    found = axe.run(page, context={"exclude": [[".main-svg"]]})["violations"]
    assert [(violation["id"], [node["html"][:100] for node in violation["nodes"]]) for violation in found] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_all_without_sideways_scrolling(visit, name):
    page = visit(name, viewport={"width": 375, "height": 800}, is_mobile=True, has_touch=True)
    if name == "running":
        page.get_by_label("reload every").uncheck()
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    wide = "[...document.querySelectorAll('.main-svg')].filter((e) => e.getBoundingClientRect().right > 375).length"
    assert page.evaluate(wide) == 0


def luminance(color: str) -> float:
    parts = [int(part) / 255 for part in color.strip("rgba()").split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted([luminance(a), luminance(b)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_can_be_read(visit, scheme):
    page = visit("plain", color_scheme=scheme)
    style = lambda selector, name: page.eval_on_selector(selector, f"(e) => getComputedStyle(e).{name}")
    background = style("body", "backgroundColor")
    assert (luminance(background) > 0.5) == (scheme == "light")
    for selector in ["body", "figcaption", ".tile .note", "nav a", ".wrong", ".right", ".checks p"]:
        around = style(".tile", "backgroundColor") if selector in ("figcaption", ".tile .note") else background
        assert contrast(style(selector, "color"), around) >= 4.5, selector
    axis = page.eval_on_selector("#loss .xtick text", "(e) => getComputedStyle(e).fill")
    assert contrast(axis, style(".figure", "backgroundColor")) >= 4.5
    other = "dark" if scheme == "light" else "light"
    page.emulate_media(color_scheme=other)
    until(page, f"getComputedStyle(document.querySelector('#loss .xtick text')).fill !== '{axis}'")


def test_it_prints_in_black_on_white(visit):
    page = visit("plain", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert luminance(page.eval_on_selector("h1", "(e) => getComputedStyle(e).color")) < 0.05
    assert not page.locator("nav").is_visible() and page.locator("#loss .main-svg").first.is_visible()
    until(page, "getComputedStyle(document.querySelector('#loss .xtick text')).fill === 'rgb(0, 0, 0)'")


def test_a_run_under_way_is_read_again_and_keeps_its_place(visit, folder):
    page = visit("running")
    path = folder / "running.html"
    page.evaluate("scrollTo(0, 900)")
    path.write_text(path.read_text().replace("step 120 of 200", "step 140 of 200"))
    until(page, "document.body.innerText.includes('step 140 of 200')")
    until(page, "Math.abs(scrollY - 900) < 5")
    page.get_by_label("reload every").uncheck()
    path.write_text(path.read_text().replace("step 140 of 200", "step 160 of 200"))
    page.wait_for_timeout(1500)
    assert "step 140 of 200" in page.locator("header").inner_text()
    page.get_by_label("reload every").check()
    page.evaluate("document.activeElement.blur()")
    until(page, "document.body.innerText.includes('step 160 of 200')")


def test_without_scripts_the_words_and_numbers_are_there(visit, browser, folder):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "plain.html").as_uri())
    assert page.locator("figcaption").first.is_visible()
    assert page.locator("#pair_table tbody tr").count() == 40
    assert page.locator("details.pair").count() == 12
    context.close()
