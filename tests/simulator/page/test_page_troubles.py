"""What goes wrong, on the page, in a real browser: troubles made in its panel, and mistakes in bot files."""

import re

from tests.simulator.page.pages import Visit, Visitor, expect, served_by
from tests.simulator.page.web import BOT
from tests.support.openai_server import OpenAIServer

SLOW = """
persona: You are the night concierge of a small inn in Kyoto.
model: {name: gpt-4.1-mini, timeout: 58s}
reply: {slow: {after: 5s, notice: One moment., label: Show it now}}
"""
SORRY = "Sorry, something went wrong. Please try again."
REFUSED = "the server responded with a status of 400"


def let_pass(me: Visitor, label: str) -> None:
    """Let time pass in the panel of troubles."""
    me.panel.get_by_role("button", name=label, exact=True).click()


# ---------------------------------------------------------------- the model, the worker


def test_a_slow_model_shows_a_button_and_a_tap_on_it_brings_the_answer(visit: Visit) -> None:
    me = visit({"concierge": SLOW})
    me.open("concierge")
    me.make_trouble("Slow model")
    me.say("Take your time")
    expect(me.typing).to_be_visible()
    expect(me.panel.get_by_role("group", name="Slow model").get_by_label("Off")).to_be_checked()
    me.house.playground.jump(6_000)
    expect(me.theirs).to_contain_text("One moment.")
    me.picture("slow")
    me.house.playground.jump(45_000)
    me.house.settle()
    expect(me.theirs).to_have_count(1)
    story = me.look_into(me.theirs)
    expect(story.get_by_role("status")).to_contain_text("Ready, and waiting for a tap")
    me.theirs.get_by_role("button", name="Show it now").click()
    me.expect_answers("One moment.", "I heard “Take your time”")
    expect(me.theirs.nth(1)).not_to_contain_text("Push")
    expect(story.get_by_role("status")).not_to_contain_text("waiting for a tap")


def test_a_killed_workers_message_is_answered_once_after_its_lease(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Worker killed")
    me.say("Do not forget me")
    expect(me.panel.get_by_role("group", name="Worker killed").get_by_label("Off")).to_be_checked()
    me.house.settle()
    expect(me.theirs).to_have_count(0)
    let_pass(me, "10 minutes")
    me.expect_answers("I heard “Do not forget me”")
    let_pass(me, "1 hour")
    me.expect_answers("I heard “Do not forget me”")
    expect(me.panel.locator(".trouble-clock")).to_contain_text("1 h 10 min ahead")


def test_a_model_that_is_down_is_told_with_the_error_text(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Model down", "Always")
    me.say("Anybody?")
    me.expect_answers(SORRY)
    story = me.look_into(me.theirs)
    expect(story.get_by_role("status")).to_contain_text("Failed: api.openai.com cannot be reached")
    me.press("Troubles")
    me.press("Clear all")
    expect(me.panel.get_by_text("All is well")).to_be_visible()
    me.say("And now?")
    me.expect_answers(SORRY, "I heard “And now?”")


# ---------------------------------------------------------------- LINE


def test_an_expired_token_has_the_answer_pushed(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Reply token expired")
    me.say("By which way?")
    me.expect_answers("I heard “By which way?”")
    expect(me.theirs.get_by_text("Push", exact=True)).to_be_visible()
    me.say("And this one?")
    expect(me.theirs.nth(1)).to_contain_text("I heard “And this one?”")
    expect(me.theirs.get_by_text("Push", exact=True)).to_have_count(1)


def test_an_answer_beyond_the_quota_comes_with_the_next_reply(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Reply token expired")
    me.make_trouble("Quota used up")
    me.say("First")
    expect(me.panel.get_by_text("All is well")).to_be_visible()
    me.house.settle()
    expect(me.theirs).to_have_count(0)
    me.say("Second")
    me.expect_answers("I heard “First”", "I heard “Second”")
    expect(me.theirs.get_by_text("Push", exact=True)).to_have_count(0)


def test_line_failing_once_delays_the_answer_and_no_more(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("LINE 500", "Next message")
    me.say("Still there?")
    me.expect_answers("I heard “Still there?”")
    story = me.look_into(me.theirs)
    calls = story.locator(".trace-call-head").filter(has_text=re.compile("reply"))
    expect(calls.locator(".trace-status")).to_have_text(["500", "200"])


def test_an_answer_that_line_shows_and_denies_comes_once(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("LINE 500, but shown")
    me.say("Once?")
    me.expect_answers("I heard “Once?”")


def test_a_webhook_that_comes_twice_is_answered_once(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Duplicate webhook")
    me.say("Twice")
    me.expect_answers("I heard “Twice”")


def test_a_lost_webhook_is_told_and_answered_when_it_comes_again(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.make_trouble("Redelivery")
    me.say("Lost and found")
    lost = me.log.get_by_role("alert")
    expect(lost).to_contain_text("LINE has lost this webhook on its way. LINE sends it again in 10 seconds.")
    expect(me.mine).not_to_contain_text("Read")
    me.house.settle()
    expect(me.theirs).to_have_count(0)
    let_pass(me, "1 minute")
    me.expect_answers("I heard “Lost and found”")
    expect(me.mine).to_contain_text("Read")


# ---------------------------------------------------------------- bot files


def test_a_mistake_is_shown_with_its_place_while_the_last_good_version_answers(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.house.write("concierge", "persona: You are a pirate.\nmodel: gpt-4.1-mini\nhistroy: 3\n")
    banner = me.page.get_by_role("alert", name="The bot's file is wrong")
    expect(banner).to_contain_text("concierge.yaml:3:1")
    expect(banner).to_contain_text("history")
    expect(banner).to_contain_text("Until this is mended, the last good version answers.")
    expect(me.item("concierge").get_by_role("img", name="Its file is wrong")).to_be_visible()
    me.picture("broken")
    me.say("Who are you?")
    me.expect_answers("Persona: You are the night concierge of a small inn in Kyoto.")
    me.house.write("concierge", "persona: You are a pirate.\nmodel: gpt-4.1-mini\nhistory: 3\n")
    expect(banner).to_be_hidden()
    me.say("And now?")
    expect(me.theirs.nth(1)).to_contain_text("Persona: You are a pirate.")
    expect(me.item("concierge").get_by_role("img", name="Its file is wrong")).to_have_count(0)


def test_a_persona_in_a_file_of_its_own_is_read_anew(visit: Visit) -> None:
    me = visit({"pirate": "persona: {file: pirate.j2}\nmodel: gpt-4.1-mini\n"})
    persona = me.house.bots / "pirate.j2"
    persona.write_text("You are a pirate.")
    expect(me.item("pirate").get_by_role("img", name="Its file is wrong")).to_have_count(0)
    me.open("pirate")
    me.say("Who?")
    me.expect_answers("Persona: You are a pirate.")
    persona.write_text("You are a {{ chat.kind }} of the King.")
    me.say("Who now?")
    me.expect_answers("Persona: You are a pirate.", "Persona: You are a user of the King.")


def test_a_new_bot_is_in_the_list_and_answers(visit: Visit, model: OpenAIServer) -> None:
    me = visit(bots={}, environ=served_by(model))
    expect(me.page.get_by_role("heading", name="No bots yet")).to_be_visible()
    me.house.write("pirate", "description: From Kobe\npersona: You are a pirate.\nmodel: gpt-4.1-mini\n")
    expect(me.item("pirate")).to_contain_text("From Kobe")
    me.open("pirate")
    me.say("ahoy")
    me.expect_answers("ahoy")


def test_a_bot_that_never_was_right_says_why_it_cannot_answer(visit: Visit) -> None:
    me = visit()
    me.house.write("broken", "persona: You are a pirate.\n")
    me.open("broken")
    banner = me.page.get_by_role("alert", name="The bot's file is wrong")
    expect(banner).to_contain_text("broken.yaml:1:1")
    expect(banner).to_contain_text("Nothing answers until this is mended.")
    me.say("Hello?")
    expect(me.page.get_by_text("broken cannot answer before its file is right")).to_be_visible()
    expect(me.field).to_have_value("Hello?")
    me.forgive(REFUSED)
    me.house.write("broken", BOT)
    expect(banner).to_be_hidden()
    me.field.press("Enter")
    me.expect_answers("I heard “Hello?”")
