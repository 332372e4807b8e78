"""How the page looks and is worked, in a real browser: what happened to a message, by key, in the dark, on a phone."""

from tests.simulator.page.pages import NARROW, Visit, Visitor, expect, served_by
from tests.simulator.page.web import BOT
from tests.support.openai_server import OpenAIServer


def light_of(me: Visitor, selector: str) -> float:
    """How light the ground of an element is, from 0 to 255."""
    colour: str = me.page.locator(selector).evaluate("(element) => getComputedStyle(element).backgroundColor")
    parts = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")]
    return sum(parts[:3]) / 3


# ---------------------------------------------------------------- what happened


def test_one_click_tells_what_happened(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    me.open("concierge")
    me.say("When is breakfast?")
    me.expect_answers("When is breakfast?")
    model.say("From seven o'clock.")
    me.say("And on Sundays?")
    me.expect_answers("When is breakfast?", "From seven o'clock.")
    story = me.look_into(me.theirs.nth(1))
    expect(story.get_by_role("status")).to_contain_text("by reply")
    rows = story.get_by_role("list").first.get_by_role("listitem")
    for step in ("reply", "history", "persona", "model", "gpt-4.1-mini", "LINE: reply"):
        expect(rows.filter(has_text=step).first).to_be_visible()
    sent = story.locator(".trace-prompt-part")
    expect(sent).to_contain_text(["night concierge", "When is breakfast?", "And on Sundays?"])
    expect(story.locator(".trace-answer")).to_contain_text("From seven o'clock.")
    expect(story.locator(".trace-facts")).to_contain_text(" in, ")
    expect(story.locator(".trace-facts")).to_contain_text("$")
    call = story.locator(".trace-call").filter(has_text="/v2/bot/message/reply")
    expect(call.locator(".trace-status")).to_have_text("200")
    call.locator("summary").click()
    expect(call.locator("pre")).to_contain_text('"text": "From seven o\'clock."')
    me.picture("trace")


def test_a_story_that_is_open_goes_on_while_the_model_thinks(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    me.open("concierge")
    model.hang()
    me.say("Slowly")
    story = me.look_into(me.mine)
    expect(story.get_by_role("status")).to_contain_text("Waiting: the model is thinking")
    model.release()
    expect(story.get_by_role("status")).to_contain_text("Answered in")
    me.expect_answers("Slowly")


def test_the_page_is_worked_by_keys_alone(visit: Visit) -> None:
    me = visit()
    keys = me.page.keyboard
    me.field.wait_for(state="detached")
    keys.press("Alt+ArrowDown")
    expect(me.field).to_be_focused()
    keys.type("hello")
    keys.press("Enter")
    me.expect_answers("I heard “hello”")
    for _ in range(3):
        keys.press("Shift+Tab")
    expect(me.theirs.get_by_role("button", name="What happened")).to_be_focused()
    keys.press("Enter")
    story = me.panel.get_by_role("tabpanel", name="What happened")
    expect(story.get_by_role("status")).to_contain_text("by reply")
    keys.press("Shift+Tab")
    expect(me.theirs).to_be_focused()
    keys.press("ArrowUp")
    expect(me.mine).to_be_focused()
    me.panel.get_by_role("tab", name="What happened").focus()
    keys.press("ArrowRight")
    keys.press("Enter")
    expect(me.panel.get_by_role("tabpanel", name="Troubles")).to_be_visible()
    keys.press("Escape")
    expect(me.panel).to_be_hidden()


def test_a_link_leads_to_the_chat_and_its_story(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("hello")
    me.expect_answers("I heard “hello”")
    me.look_into(me.theirs)
    address = me.page.url
    me.press("Close the panel")
    me.page.goto(me.house.url)
    expect(me.page.get_by_role("heading", name="Your bots, as on LINE")).to_be_visible()
    me.page.goto(address)
    me.expect_answers("I heard “hello”")
    expect(me.panel.get_by_role("status").first).to_contain_text("by reply")
    me.page.go_back()
    expect(me.panel).to_be_hidden()


# ---------------------------------------------------------------- dark, light and narrow


def test_the_dark_page_is_dark_and_can_be_light(visit: Visit) -> None:
    me = visit(color_scheme="dark")
    me.open("concierge")
    me.say("暗いですね")
    me.expect_answers("I heard “暗いですね”")
    me.look_into(me.theirs)
    assert max(light_of(me, selector) for selector in ("body", "#sidebar", "#main", "#panel")) < 80
    me.picture("dark")
    me.press("Light colours")
    expect(me.page.get_by_role("button", name="Dark colours")).to_be_visible()
    assert light_of(me, "body") > 200
    me.page.reload()
    expect(me.page.get_by_role("button", name="Dark colours")).to_be_visible()
    assert light_of(me, "body") > 200


def test_a_phone_shows_the_list_then_the_chat_then_the_panel_and_the_way_back(visit: Visit) -> None:
    me = visit(
        {"concierge": f"{BOT}reply: {{quick_replies: [朝食は何時？, 風呂は？, チェックインは？]}}\n"}, viewport=NARROW
    )
    expect(me.item("concierge")).to_be_in_viewport(ratio=1)
    me.expect_no_sideways_scroll()
    me.picture("narrow-list")
    me.item("concierge").click()
    expect(me.chats).to_be_hidden()
    me.say("京都駅からどう行けばいいですか。荷物が多いので、歩かずに行きたいです。")
    me.expect_answers("rehearsal")
    for part in (me.field, me.page.get_by_role("button", name="Send"), me.page.get_by_role("button", name="Chat menu")):
        expect(part).to_be_in_viewport(ratio=1)
    me.expect_no_sideways_scroll()
    me.picture("narrow-chat")
    me.theirs.get_by_role("button", name="What happened").click()
    expect(me.panel.get_by_role("status").first).to_contain_text("by reply")
    expect(me.field).to_be_hidden()
    me.expect_no_sideways_scroll()
    me.picture("narrow-trace")
    me.panel.get_by_role("tab", name="Troubles").click()
    me.expect_no_sideways_scroll()
    me.press("Close the panel")
    expect(me.field).to_be_visible()
    me.press("Back to the chats")
    expect(me.item("concierge")).to_be_visible()
    expect(me.field).to_be_hidden()


def test_the_step_back_on_a_phone_leads_the_same_way(visit: Visit) -> None:
    me = visit(viewport=NARROW)
    me.item("concierge").click()
    expect(me.field).to_be_visible()
    me.press("Troubles")
    expect(me.field).to_be_hidden()
    me.page.go_back()
    expect(me.field).to_be_visible()
    me.page.go_back()
    expect(me.item("concierge")).to_be_visible()
