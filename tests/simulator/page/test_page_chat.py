"""A chat of two on the page, in a real browser: from the first message to what can be done with each."""

import re
from typing import Any

from tests.simulator.page.pages import Visit, expect, served_by
from tests.simulator.page.web import BOT
from tests.support.openai_server import OpenAIServer

CUT_OFF = "ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|CONNECTION_RESET)"
SECRET = "my room number is 305"

# ---------------------------------------------------------------- the first messages


def test_a_first_message_is_read_and_answered(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    model.hang()
    expect(me.page.get_by_role("heading", name="Your bots, as on LINE")).to_be_visible()
    me.open("concierge")
    me.say("朝食は何時ですか？")
    expect(me.mine).to_contain_text("朝食は何時ですか？")
    expect(me.mine).to_contain_text("Read")
    expect(me.typing).to_be_visible()
    expect(me.theirs).to_have_count(0)
    expect(me.field).to_have_value("")
    model.release()
    me.expect_answers("朝食は何時ですか？")
    expect(me.typing).to_be_hidden()
    expect(me.item("concierge")).to_contain_text("朝食は何時ですか？")


def test_without_a_key_the_model_rehearses_and_all_is_there_after_a_reload(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("予約をお願いします")
    me.expect_answers("rehearsal: I heard “予約をお願いします”.")
    expect(me.theirs).to_contain_text("Persona: You are the night concierge of a small inn in Kyoto.")
    me.page.reload()
    me.expect_answers("rehearsal: I heard “予約をお願いします”.")
    expect(me.mine).to_contain_text("Read")
    expect(me.item("concierge")).to_contain_text("rehearsal: I heard “予約をお願いします”.")
    me.picture("rehearsal")


def test_all_is_there_after_a_restart_and_the_open_page_goes_on(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("I arrive at nine.")
    me.expect_answers("I heard “I arrive at nine.”")
    me.house.stop()
    stopped = me.page.get_by_role("status").filter(has_text="botkit dev is not running")
    expect(stopped).to_be_visible()
    me.house.start()
    expect(stopped).to_be_hidden()
    me.say("And at ten?")
    me.expect_answers("I heard “I arrive at nine.”", "Earlier messages: 2")
    expect(me.mine).to_have_count(2)
    me.forgive(CUT_OFF)


def test_what_comes_while_the_chat_is_fetched_is_not_lost(visit: Visit) -> None:
    me = visit()
    person = me.house.playground.me.user_id
    chat = {"bot": "concierge", "chat": {"kind": "user", "id": person}, "as": person}

    def hold(route: Any) -> None:
        before = route.fetch()
        me.page.request.post(f"{me.house.url}/sim/do/say", data={**chat, "text": "hello"})
        expect(me.item("concierge")).to_contain_text("I heard “hello”")
        route.fulfill(response=before)

    me.page.route("**/sim/chat?*", hold)
    with me.page.expect_response("**/sim/chat?*") as fetched:
        me.open("concierge")
    fetched.value.finished()
    me.expect_answers("I heard “hello”")
    expect(me.mine).to_contain_text("Read")


def test_what_cannot_be_sent_stands_in_the_field_again(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.house.stop()
    me.say("Is anybody there?")
    expect(me.page.get_by_text("botkit dev does not answer.")).to_be_visible()
    expect(me.field).to_have_value("Is anybody there?")
    me.house.start()
    expect(me.page.get_by_text("botkit dev is not running")).to_be_hidden()
    me.field.press("Enter")
    me.expect_answers("I heard “Is anybody there?”")
    expect(me.mine).to_have_count(1)
    me.forgive(CUT_OFF)


def test_enter_belongs_to_the_input_method_while_it_converts(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    keyboard = me.page.context.new_cdp_session(me.page)
    keyboard.send("Input.imeSetComposition", {"text": "きょうと", "selectionStart": 4, "selectionEnd": 4})
    expect(me.field).to_have_value("きょうと")
    me.page.keyboard.press("Enter")
    keyboard.send("Input.insertText", {"text": "京都"})
    expect(me.field).to_have_value(re.compile("京都"))
    expect(me.mine).to_have_count(0)
    me.field.press("Shift+Enter")
    me.page.keyboard.type("駅")
    me.field.press("Enter")
    expect(me.mine.locator(".msg-text")).to_have_text(re.compile("京都\n駅"), use_inner_text=True)
    me.expect_answers("rehearsal: I heard “京都 駅”.")


# ---------------------------------------------------------------- which model answers


def test_a_key_in_env_is_used_by_the_next_message_and_no_longer_once_it_is_gone(
    visit: Visit, model: OpenAIServer
) -> None:
    me, banner = visit(), "Rehearsal: no model is asked."
    me.open("concierge")
    expect(me.page.get_by_text(banner)).to_be_visible()
    expect(me.page.get_by_role("region", name="Rehearsal")).to_contain_text("OPENAI_API_KEY=…")
    dotenv = me.house.home / ".env"
    dotenv.write_text(f"OPENAI_API_KEY={model.key}\nOPENAI_BASE_URL={model.url}\n")
    expect(me.page.get_by_text(banner)).to_be_hidden()
    model.say("いらっしゃいませ。")
    me.say("こんばんは")
    me.expect_answers("いらっしゃいませ。")
    assert model.requests[0].headers["authorization"] == f"Bearer {model.key}"
    dotenv.unlink()
    expect(me.page.get_by_text(banner)).to_be_visible()
    me.say("もう一度")
    me.expect_answers("いらっしゃいませ。", "rehearsal: I heard “もう一度”.")
    assert len(model.requests) == 1


# ---------------------------------------------------------------- what can be done with a message


def test_an_unsent_message_is_gone_from_the_chat_and_from_the_next_prompt(visit: Visit, model: OpenAIServer) -> None:
    me = visit(environ=served_by(model))
    me.open("concierge")
    model.say("Noted.")
    me.say(SECRET)
    me.expect_answers("Noted.")
    me.do_with(me.mine, "Unsend")
    expect(me.log.get_by_text("You unsent a message")).to_be_visible()
    expect(me.mine).to_have_count(0)
    me.house.settle()
    me.say("What do you know of me?")
    expect(me.theirs).to_have_count(2)
    prompt = me.look_into(me.theirs.nth(1)).locator(".trace-model")
    expect(prompt).to_contain_text("What do you know of me?")
    expect(prompt).not_to_contain_text(SECRET)


def test_a_reply_to_a_message_quotes_it(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("When is breakfast?")
    me.expect_answers("I heard “When is breakfast?”")
    me.do_with(me.theirs, "Reply")
    expect(me.page.get_by_text("Reply to concierge")).to_be_visible()
    me.say("Are you sure?")
    expect(me.page.get_by_text("Reply to concierge")).to_be_hidden()
    quote = me.mine.nth(1).get_by_role("button", name="concierge")
    expect(quote).to_contain_text("I heard “When is breakfast?”")
    quote.click()
    expect(me.theirs.first).to_be_focused()
    me.house.settle()
    expect(me.theirs).to_have_count(2)


def test_the_same_webhook_again_is_not_answered_again(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("Once, please.")
    me.expect_answers("I heard “Once, please.”")
    me.do_with(me.mine, "Send the webhook again")
    expect(me.page.get_by_text("The same webhook was sent again.")).to_be_visible()
    me.expect_answers("I heard “Once, please.”")


def test_a_message_is_copied(visit: Visit) -> None:
    me = visit(permissions=["clipboard-read", "clipboard-write"])
    me.open("concierge")
    me.say("部屋は空いていますか？")
    me.expect_answers("rehearsal")
    me.do_with(me.mine, "Copy")
    expect(me.page.get_by_text("Copied")).to_be_visible()
    assert me.page.evaluate("navigator.clipboard.readText()") == "部屋は空いていますか？"


def test_editing_is_not_offered_in_a_chat_of_two(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("Typo")
    me.mine.hover()
    me.mine.get_by_role("button", name="Message menu").click()
    expect(me.page.get_by_role("menuitem", name="Unsend")).to_be_visible()
    expect(me.page.get_by_role("menuitem", name="Edit")).to_have_count(0)


# ---------------------------------------------------------------- buttons, and the chat as a whole


def test_a_quick_reply_is_said_and_answered_and_its_chips_go(visit: Visit, model: OpenAIServer) -> None:
    me = visit(
        {"concierge": f"{BOT}reply: {{loading: false, quick_replies: [朝食は何時？, 風呂は？]}}\n"}, served_by(model)
    )
    me.open("concierge")
    me.say("こんばんは")
    chips = me.page.get_by_role("group", name="Quick replies").get_by_role("button")
    expect(chips).to_have_text(["朝食は何時？", "風呂は？"])
    model.hang()
    chips.first.click()
    expect(me.mine.nth(1)).to_contain_text("朝食は何時？")
    expect(chips).to_have_count(0)
    model.release()
    me.expect_answers("こんばんは", "朝食は何時？")
    expect(chips).to_have_count(2)


def test_a_friend_is_greeted_and_nobody_writes_to_whom_they_blocked(visit: Visit) -> None:
    me = visit({"concierge": f"{BOT}events: {{follow: 'Welcome, {{{{ user.name }}}}!'}}\n"})
    me.open("concierge")
    me.press("Add friend")
    me.expect_answers("Welcome, You!")
    me.choose("Chat menu", "Block")
    expect(me.page.get_by_text("You blocked concierge.", exact=True).last).to_be_visible()
    expect(me.field).to_be_hidden()
    me.press("Unblock")
    me.say("Hello again")
    me.expect_answers("Welcome, You!", "Welcome, You!", "I heard “Hello again”")


def test_a_chat_begun_anew_is_forgotten_by_the_bot(visit: Visit) -> None:
    me = visit()
    me.open("concierge")
    me.say("Remember this.")
    me.expect_answers("I heard “Remember this.”")
    me.choose("Chat menu", "Start this chat anew")
    expect(me.log.get_by_role("article")).to_have_count(0)
    me.say("What do you remember?")
    me.expect_answers("I heard “What do you remember?”")
    expect(me.theirs).not_to_contain_text("Earlier messages")


def test_answers_in_another_chat_are_counted_and_what_was_written_there_is_kept(
    visit: Visit, model: OpenAIServer
) -> None:
    me = visit({"concierge": BOT, "pirate": BOT}, served_by(model))
    me.open("concierge")
    model.hang()
    me.say("I shall be back")
    me.field.fill("half a th")
    assert model.wait_for_request()
    me.open("pirate")
    expect(me.field).to_have_value("")
    model.release()
    expect(me.chats.get_by_role("button", name="concierge, 1 new")).to_be_visible()
    me.field.press("Alt+ArrowUp")
    expect(me.field).to_have_value("half a th")
    me.expect_answers("I shall be back")
    expect(me.chats.get_by_role("button", name="concierge", exact=True)).to_be_visible()
