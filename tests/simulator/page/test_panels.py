"""The panels at the right of the page, in a browser: what happened to a message, and the troubles."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import botkit.simulator.page
from botkit.simulator.page.guard import POLICY
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.server import serving
from tests.simulator.page import traces
from tests.support.browser import complaints_of

STATIC = Path(botkit.simulator.page.__file__).parent / "static"
SHEETS = ("tokens.css", "app.css", "trace.css", "troubles.css")
INDEX = f"""<!doctype html><html lang="en"><meta charset="utf-8">
{"".join(f'<link rel="stylesheet" href="/static/{sheet}">' for sheet in SHEETS)}
<body data-screen="panel"><aside id="panel"></aside>
<script type="module" src="/try.js"></script>"""
TRY = """
import { TracePanel } from "/static/trace.js";
import { TroublesPanel } from "/static/troubles.js";
let pane;
window.fresh = () => {
  Object.assign(window, { traces: {}, asked: [], done: [], told: [], held: null, refusal: null });
  pane = document.createElement("div");
  pane.className = "pane";
  pane.id = "pane";
  document.querySelector("#panel").replaceChildren(pane);
};
const get = async (path) => {
  asked.push(path);
  await held;
  const event = new URL(path, location).searchParams.get("event");
  if (!traces[event]) throw new Error("concierge knows no event " + event);
  return structuredClone(traces[event]);
};
const act = async (verb, body) => {
  done.push([verb, body]);
  if (refusal) throw new Error(refusal);
};
window.trace = () => (window.panel = new TracePanel(pane, { get, zone: "Asia/Tokyo" }));
window.troubles = () => (window.panel = new TroublesPanel(pane, { act, tell: (text) => told.push(text) }));
window.ready = true;
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address of a page that has nothing but a pane, under the policy of the true one."""
    headers = {"content-security-policy": POLICY}
    routes: list[BaseRoute] = [
        Route("/", lambda _: HTMLResponse(INDEX, headers=headers)),
        Route("/try.js", lambda _: Response(TRY, media_type="text/javascript")),
        Route("/favicon.ico", lambda _: Response(status_code=204)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.fixture(scope="module")
def tab(browser: Browser, origin: str) -> Iterator[Page]:
    """One page for all tests here: to open one anew takes longer than all that is looked at in it."""
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    page = context.new_page()
    page.goto(origin)
    page.wait_for_function("window.ready")
    yield page
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The page with an empty pane, as narrow as a phone. The test fails if the page complains."""
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.evaluate("fresh()")
    complaints = complaints_of(tab)
    yield tab
    assert complaints == []


def show(page: Page, trace: traces.JSON, *others: traces.JSON) -> Locator:
    """Show the trace; `others` are there to be asked for. Returns the pane."""
    known = {one["event"]: one for one in (trace, *others)}
    opened = [known, trace["bot"], trace["event"]]
    page.evaluate("([known, bot, event]) => { window.traces = known; return trace().show(bot, event); }", opened)
    return page.locator("#pane")


# ---------------------------------------------------------------- what happened, at one glance


@pytest.mark.parametrize(
    ("name", "said", "more"),
    [
        ("rehearsal", "Answered in 60 ms by reply", ""),
        ("long_history", "Answered in 1.2 s by reply", ""),
        ("covered", "Answered together with another message", "What is sent in a row is answered once."),
        ("slow", "Ready, and waiting for a tap", "The reply token was spent on the button that brings it."),
        ("tapped", "Answered in 90 ms by reply", "A tap on the button: it brought an answer that was waiting."),
        ("queued", "Waiting in the queue", "The webhook is stored; no worker has begun."),
        ("thinking", "Waiting: the model is thinking", ""),
        ("sending", "On its way: LINE answered 500 and is asked again", ""),
        ("killed", "Answered in 1 min 2 s by reply", "It took 2 attempts."),
        ("unaddressed", "Said nothing: the bot was not addressed", ""),
        ("command", "Answered in 30 ms by reply", "commands: reset, the conversation is deleted"),
        (
            "expired",
            "Answered in 1 min 5 s by push",
            "LINE POST /v2/bot/message/reply: 400 Invalid reply token\n"
            "LINE POST /v2/bot/message/push: 500 Internal Server Error",
        ),
        (
            "arrived",
            "Answered in 400 ms by reply",
            "LINE POST /v2/bot/message/reply: ProtocolError\nreply: so the earlier call had been delivered",
        ),
        ("blocked", "Said nothing: the person has blocked the bot, or the group has removed it", ""),
        ("unsure", "Perhaps answered: nobody can know whether it arrived", None),
        ("refused", "Failed: LINE did not take the answer", "LINE POST /v2/bot/message/reply: 401 not authorized"),
        ("apology", f"Failed: {traces.FAILED}", "The error text was said instead, after 460 ms by reply."),
        ("untold", "Not taken in by the bot", traces.untold()["meaning"]),
    ],
)
def test_a_headline_says_what_became_of_a_message(page: Page, name: str, said: str, more: str | None) -> None:
    headline = show(page, traces.ALL[name]()).locator(".trace-headline")
    expect(headline.locator(".trace-said")).to_have_text(said)
    if more:
        assert headline.locator(".trace-more").inner_text() == more
    elif more == "":
        expect(headline.locator(".trace-more")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("rehearsal", ["In all: 60 ms", "Tokens: 187 in, 40 out", "Model: rehearsal, no key"]),
        ("long_history", ["In all: 1.2 s", "Tokens: 1,234 in, 61 out", "Cost: $0.00059"]),
        ("killed", ["In all: 1 min 2 s", "Tokens: 190 in, 12 out", "Cost: $0.000096", "Attempts: 2"]),
        ("unaddressed", []),
    ],
)
def test_time_tokens_and_cost_are_told_where_there_are_any(page: Page, name: str, facts: list[str]) -> None:
    rows = show(page, traces.ALL[name]()).locator(".trace-facts > div").all()
    assert [": ".join(row.locator("dt, dd").all_inner_texts()) for row in rows] == facts


def test_what_is_still_under_way_is_marked(page: Page) -> None:
    dot = show(page, traces.thinking()).locator(".trace-dot")
    expect(dot).to_have_attribute("data-live", "")
    expect(show(page, traces.rehearsal()).locator(".trace-dot")).not_to_have_attribute("data-live", "")


def test_an_event_that_nobody_knows_is_told_in_a_sentence_and_can_be_asked_for_again(page: Page) -> None:
    pane = show(page, traces.rehearsal())
    page.evaluate("panel.show('concierge', '01H')")
    expect(pane.locator(".trace-headline")).to_contain_text("concierge knows no event 01H")
    page.evaluate("traces['01H'] = traces[Object.keys(traces)[0]]")
    pane.get_by_role("button", name="Look again").click()
    expect(pane.locator(".trace-said")).to_have_text("Answered in 60 ms by reply")


# ---------------------------------------------------------------- the waterfall


def test_the_waterfall_has_the_queue_the_steps_the_models_and_the_calls_to_line(page: Page) -> None:
    rows = show(page, traces.fallback()).locator(".trace-row")
    expect(rows.locator(".trace-name")).to_have_text(
        ["queue", *map(str.lower, traces.STEPS), "gpt-4.1-mini", "gpt-4.1-nano", "LINE: loading", "LINE: reply"]
    )
    figures = dict(
        zip(rows.locator(".trace-name").all_inner_texts(), rows.locator(".trace-ms").all_inner_texts(), strict=True)
    )
    assert figures["queue"] == "40 ms"
    assert figures["reply"] == "3 ms"  # of its own, not the second and a half with the steps inside it
    assert (figures["gpt-4.1-mini"], figures["gpt-4.1-nano"]) == ("900 ms", "640 ms")
    assert figures["LINE: reply"] == "200"
    expect(page.locator(".trace-row[data-failed] .trace-name")).to_have_text(["gpt-4.1-mini"])


def test_a_bar_lies_where_its_step_began_and_is_as_long(page: Page) -> None:
    trace = traces.fallback()  # 40 ms in the queue, then 1560 of work, and 40 until LINE had the answer
    show(page, trace)
    track = _box(page, "reply", ".trace-track")
    spare = _box(page, "gpt-4.1-nano", ".trace-own")
    whole = 40 + 1590 - 40
    assert (spare["x"] - track["x"]) / track["width"] == pytest.approx((40 + 910) / whole, abs=0.02)
    assert spare["width"] / track["width"] == pytest.approx(640 / whole, abs=0.02)
    pieces = page.locator(".trace-row", has_text="reply").first.locator(".trace-own")
    expect(pieces).to_have_count(2)  # before the steps inside, and after them


def test_a_long_wait_in_the_queue_is_told_in_words(page: Page) -> None:
    pane = show(page, traces.killed())
    expect(pane.locator(".trace-turn").nth(1)).to_contain_text("This began 1 min 2 s after the webhook was received.")
    expect(pane.locator(".trace-attempt")).to_contain_text(["Attempt 1", "Attempt 2"])
    expect(pane.locator(".trace-turn > .trace-failed")).to_have_text(["the worker was killed"])


# ---------------------------------------------------------------- the model and its prompt


def test_the_prompt_is_shown_in_its_parts_with_their_tokens(page: Page) -> None:
    pane = show(page, traces.long_history())
    heads = [
        " ".join(head.inner_text().split()) for head in pane.locator(".trace-prompt-part > .trace-part-head").all()
    ]
    assert heads == [
        "Persona 118 tokens",
        "3 earlier messages were left out: history has max_tokens: 1100 44 tokens",
        "Earlier messages: 12 1,080 tokens",
        "New 19 tokens",
    ]
    expect(pane.locator('[data-part="new"] .trace-badge')).to_have_text("1 image")
    expect(pane.locator('[data-part="new"] .trace-words')).to_have_attribute("lang", "ja")
    expect(pane.locator(".trace-answer .trace-words")).to_contain_text("タクシーで五分です。")
    expect(pane).to_contain_text("temperature 0.7 · answers with at most 800 tokens")
    expect(pane).to_contain_text("1,234 sent + 800 kept for the answer, of 8,192 tokens: 25 %")


def test_what_is_folded_opens_from_the_keyboard(page: Page) -> None:
    pane = show(page, traces.long_history())
    last = pane.locator('[data-part="history"] .trace-words').last
    expect(last).to_be_hidden()
    pane.locator('[data-part="history"] > summary').focus()
    page.keyboard.press("Enter")
    expect(last).to_be_visible()
    persona = pane.locator('[data-part="persona"] details')
    folded = persona.bounding_box()
    persona.locator("summary").press("Space")
    opened = persona.bounding_box()
    assert folded
    assert opened
    assert opened["height"] > folded["height"] + 40


def test_who_selects_words_does_not_fold_them(page: Page) -> None:
    persona = show(page, traces.rehearsal()).locator('[data-part="persona"] details')
    persona.locator("summary").press("Enter")
    box = persona.locator(".trace-words").bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 8)
    page.mouse.up()
    assert page.evaluate("String(getSelection())")
    expect(persona).to_have_attribute("open", "")
    persona.locator("summary").press("Enter")  # from the keyboard it folds all the same
    expect(persona).not_to_have_attribute("open", "")


def test_a_call_that_makes_no_answer_is_told_apart(page: Page) -> None:
    pane = show(page, traces.heard())
    calls = pane.locator(".trace-model")
    expect(calls.locator(".trace-badge")).to_have_text(["transcription", "moderation"])
    expect(calls.locator(".trace-answer .trace-part")).to_have_text(["It heard", "It found", "It answered"])
    expect(calls.first.locator(".trace-fold")).to_have_count(0)  # what was sent is a recording
    expect(calls.nth(1)).not_to_contain_text("temperature")
    assert [one.get_attribute("open") for one in pane.locator(".trace-fold").all()] == [None, ""]
    expect(pane.locator(".trace-reply")).to_have_count(0)


def test_only_the_prompt_that_was_answered_is_open(page: Page) -> None:
    prompts = show(page, traces.fallback()).locator(".trace-fold")
    assert [prompt.get_attribute("open") for prompt in prompts.all()] == [None, ""]


def test_what_was_said_is_shown_where_it_is_not_the_answer_word_for_word(page: Page) -> None:
    trace = traces.rehearsal()
    expect(show(page, trace).locator(".trace-reply")).to_have_count(0)
    trace["turns"][0]["reply"] = ["In bold?", "Not on LINE."]
    expect(show(page, trace).locator(".trace-reply")).to_have_text(["In bold?", "Not on LINE."])


def test_words_can_never_become_markup(page: Page) -> None:
    trace = traces.rehearsal()
    hostile = "<img src=x onerror='document.title=\"seized\"'><style>*{display:none}</style>"
    call = trace["turns"][0]["models"][0]
    call["answer"], call["messages"][-1]["text"], call["model"] = hostile, hostile, hostile
    trace["notes"].append({"at": traces.RECEIVED, "text": hostile})
    trace["line"][-1]["request"]["messages"][0]["text"] = hostile
    pane = show(page, trace)
    expect(pane.locator(".trace-answer .trace-words")).to_have_text(hostile)
    expect(pane.locator("img, style, script")).to_have_count(0)


# ---------------------------------------------------------------- LINE, the story, the ids


def test_a_call_to_line_opens_to_its_body(page: Page) -> None:
    pane = show(page, traces.expired())
    expect(pane.locator(".trace-call .trace-status")).to_have_text(["202", "400", "500", "409"])
    push = pane.locator("details.trace-call").last
    push.locator("summary").click()
    key = "5e7c1d0a-7c6e-5f0e-9a53-52d8ab1d9e0f"
    expect(push).to_contain_text(f"POST /v2/bot/message/pushX-Line-Retry-Key: {key}")
    expect(push).to_contain_text("LINE had taken this push before, under the same retry key.")
    assert json.loads(push.locator("pre").inner_text()) == traces.expired()["line"][-1]["request"]


def test_the_story_is_told_in_the_order_of_its_times(page: Page) -> None:
    trace = traces.unaddressed()
    trace["notes"].reverse()
    told = show(page, trace).locator(".trace-notes li")
    expect(told.locator("span")).to_have_text(
        [
            "it happened, says LINE",
            "its webhook was received",
            "turn: answers this event alone",
            "groups: the bot was not addressed",
            "answer: nothing to say",
        ]
    )
    expect(told.locator("time").first).to_have_text("12:53:20.175")


def test_the_ids_the_command_and_the_whole_trace_can_be_copied(page: Page) -> None:
    pane = show(page, traces.rehearsal())
    for button, text in (
        (pane.get_by_title("Copy the event's id"), traces.EVENT),
        (pane.get_by_title("Copy the command"), f"botkit explain concierge {traces.EVENT}"),
    ):
        button.click()
        expect(button).to_have_text("Copied")
        assert _clipboard(page) == text
    pane.get_by_role("button", name="Copy all of it as JSON").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('{'))")
    assert json.loads(_clipboard(page)) == traces.rehearsal()


def test_another_event_of_the_same_story_is_a_click_away(page: Page) -> None:
    pane = show(page, traces.covered(), traces.burst())
    pane.get_by_role("button", name=traces.EVENT).click()
    expect(pane.locator(".trace-said")).to_have_text("Answered in 870 ms by reply")


# ---------------------------------------------------------------- while it goes on


def test_a_change_is_shown_and_what_is_open_stays_open(page: Page) -> None:
    pane = show(page, traces.thinking())
    pane.locator('[data-part="persona"] summary').click()
    page.evaluate("document.querySelector('#pane').scrollTop = 120")
    page.evaluate(
        "([event, trace]) => { traces[event] = trace; panel.changed('concierge', event); }",
        [
            traces.EVENT,
            traces.rehearsal(),
        ],
    )
    expect(pane.locator(".trace-said")).to_have_text("Answered in 60 ms by reply")
    assert pane.locator('[data-part="persona"] details').get_attribute("open") == ""
    assert page.evaluate("document.querySelector('#pane').scrollTop") == 120
    assert page.evaluate("document.activeElement.closest('details')?.dataset.key") is not None


def test_what_is_under_way_is_looked_at_again_by_itself(page: Page) -> None:
    pane = show(page, traces.sending())
    page.evaluate("([event, trace]) => { traces[event] = trace; }", [traces.EVENT, traces.rehearsal()])
    expect(pane.locator(".trace-said")).to_have_text("Answered in 60 ms by reply")


def test_only_what_belongs_to_the_story_is_fetched_anew(page: Page) -> None:
    show(page, traces.burst())
    page.evaluate("panel.changed('concierge', '01HSOMETHINGELSE'); panel.changed('assistant', traces[0])")
    assert len(page.evaluate("asked")) == 1
    page.evaluate(f"panel.changed('concierge', '{traces.OTHER}')")
    page.wait_for_function("asked.length === 2")


def test_an_answer_that_comes_after_another_event_was_opened_is_not_shown(page: Page) -> None:
    pane = show(page, traces.covered(), traces.rehearsal())
    page.evaluate("() => { window.held = new Promise((go) => { window.release = go; }); }")
    page.evaluate(f"panel.show('concierge', '{traces.EVENT}'); panel.hide()")
    page.evaluate("release(); held.then(() => 0)")
    nothing = "Nothing is shown yet. Write to a bot: beside each answer, one click tells here how it came about."
    expect(pane).to_have_text(nothing)
    page.evaluate(f"panel.show('concierge', '{traces.OTHER}')")
    expect(pane.locator(".trace-said")).to_have_text("Answered together with another message")


@pytest.mark.parametrize("name", [*traces.ALL, "troubles"])
def test_nothing_has_to_be_scrolled_sideways_on_the_narrowest_phone(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    if name == "troubles":
        _trouble(page)
    else:
        trace = traces.ALL[name]()
        for call in (call for turn in trace["turns"] for call in turn["models"]):
            call["answer"] = call["model"] = "https://example.com/" + "verylong" * 20
            call["messages"] = [{**one, "text": "あ" * 200 + "W" * 200} for one in call["messages"]]
        show(page, trace)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll('#pane, #pane *')]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
        .filter((one) => !['visible', 'hidden', 'clip'].includes(getComputedStyle(one).overflowX))
        .map((one) => one.className)"""
    )
    assert wide == []
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('#pane *')].map((one) => one.getBoundingClientRect().right))"
    )
    assert right <= 320


# ---------------------------------------------------------------- troubles


def _trouble(page: Page, mischief: Mischief | None = None, **more: Any) -> Locator:
    state = {"offset": 0, "cloud": {"waiting": 0, "running": 0, "dead": 0}, **more}
    page.evaluate("(state) => troubles().update(state)", {"troubles": (mischief or Mischief()).list(), **state})
    return page.locator("#pane")


def _update(page: Page, mischief: Mischief) -> None:
    page.evaluate(
        "(state) => panel.update(state)",
        {
            "troubles": mischief.list(),
            "offset": 0,
            "cloud": {"waiting": 0, "running": 0, "dead": 0},
        },
    )


def test_every_trouble_says_what_the_person_will_see_and_is_off_at_first(page: Page) -> None:
    pane, mishaps = _trouble(page), Mischief().list()
    expect(pane.locator("fieldset")).to_have_count(len(mishaps))
    for mishap in mishaps:
        group = pane.get_by_role("group", name=mishap["label"], exact=True)
        expect(group).to_have_accessible_description(mishap["about"].replace("`", ""))
        expect(group.get_by_label("Off")).to_be_checked()
    expect(pane.locator(".trouble-active")).to_have_text("All is well")
    expect(pane.get_by_role("button", name="Clear all")).to_be_disabled()


def test_a_trouble_is_chosen_with_its_measure(page: Page) -> None:
    slow = _trouble(page).get_by_role("group", name="Slow model")
    slow.get_by_label("Next message").check()
    seconds = slow.get_by_role("spinbutton", name="Slow model: how many seconds")
    seconds.fill("70")
    seconds.blur()
    assert page.evaluate("done") == [
        ["trouble", {"name": "slow_model", "mode": "once", "value": 50}],
        ["trouble", {"name": "slow_model", "mode": "once", "value": 70}],
    ]


def test_troubles_are_chosen_with_the_arrow_keys(page: Page) -> None:
    down = _trouble(page).get_by_role("group", name="Model down")
    down.get_by_label("Off").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(down.get_by_label("Always")).to_be_checked()
    assert page.evaluate("done")[-1] == ["trouble", {"name": "model_down", "mode": "on", "value": None}]


def test_active_troubles_are_marked_and_cleared_together(page: Page) -> None:
    mischief = Mischief()
    mischief.set("slow_model", "on", 20)
    mischief.set("duplicate", "once")
    pane = _trouble(page, mischief)
    expect(pane.locator(".trouble-active")).to_have_text("2 troubles are on")
    expect(pane.locator("fieldset.on legend")).to_have_text(["Slow model", "Duplicate webhook"])
    pane.get_by_role("button", name="Clear all").click()
    page.wait_for_function("done.length === 2")
    assert page.evaluate("done") == [
        ["trouble", {"name": "slow_model", "mode": "off", "value": 20}],
        ["trouble", {"name": "duplicate", "mode": "off", "value": None}],
    ]
    _update(page, Mischief())
    expect(pane.locator("fieldset.on")).to_have_count(0)


def test_what_the_server_refuses_is_told_and_taken_back(page: Page) -> None:
    down = _trouble(page).get_by_role("group", name="Model down")
    page.evaluate("window.refusal = 'there is no trouble model_down'")
    down.get_by_label("Always").click()
    page.wait_for_function("told.length === 1")
    assert page.evaluate("told") == ["there is no trouble model_down"]
    expect(down.get_by_label("Off")).to_be_checked()


def test_a_measure_is_left_alone_while_it_is_typed(page: Page) -> None:
    pane, mischief = _trouble(page), Mischief()
    seconds = pane.get_by_role("spinbutton")
    seconds.press("Control+a")
    seconds.press("7")
    _update(page, mischief)
    expect(seconds).to_have_value("7")
    seconds.evaluate("(input) => { input.value = 50; input.blur(); }")
    mischief.set("slow_model", "off", 33)
    _update(page, mischief)
    expect(seconds).to_have_value("33")


def test_time_passes_and_the_sweep_runs_at_a_click(page: Page) -> None:
    pane = _trouble(page, offset=7_500_000)
    expect(pane.locator(".trouble-clock")).to_have_text("The clock is 2 h 5 min ahead of the machine's.")
    for name in ("1 minute", "10 minutes", "1 hour", "1 day"):
        pane.get_by_role("button", name=name, exact=True).click()
    pane.get_by_role("button", name="Run the sweep now").click()
    minute = 60_000
    jumps = [["jump", {"ms": minutes * minute}] for minutes in (1, 10, 60, 24 * 60)]
    assert page.evaluate("done") == [*jumps, ["sweep", {}]]


@pytest.mark.parametrize(
    ("cloud", "told"),
    [
        ((0, 0, 0), "The queue is empty: everything is answered."),
        ((1, 2, 0), "1 conversation waits, 2 workers at work"),
        ((2, 0, 0), "2 conversations wait"),
        ((0, 0, 1), "1 wake-up given up after five tries"),
    ],
)
def test_the_queue_is_told_in_words(page: Page, cloud: tuple[int, int, int], told: str) -> None:
    pane = _trouble(page, cloud=dict(zip(("waiting", "running", "dead"), cloud, strict=True)))
    expect(pane.locator(".trouble-queue")).to_have_text(told)


def _box(page: Page, row: str, part: str) -> Any:
    rows = page.locator(".trace-row", has=page.get_by_text(row, exact=True))
    return rows.first.locator(part).first.bounding_box()


def _clipboard(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text
