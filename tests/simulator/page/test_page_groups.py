"""Groups on the page, in a real browser: several people and a bot, spoken for by one."""

from tests.simulator.page.pages import Visit, Visitor, expect


def gather(me: Visitor, *names: str) -> None:
    """Make the group "京都旅行" of these people with the bot, and open it."""
    me.chats.get_by_role("button", name="New group", exact=True).click()
    dialog = me.page.get_by_role("dialog", name="New group")
    dialog.get_by_label("Name of the group").fill("京都旅行")
    dialog.get_by_label("Bot").select_option("concierge")
    for person in ("You", "Hana", "Ken"):
        dialog.get_by_role("checkbox", name=person).set_checked(person in names)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_be_hidden()
    expect(me.page.get_by_role("heading", name="京都旅行", level=1)).to_have_text(f"京都旅行{len(names) + 1}")


def speak_as(me: Visitor, name: str) -> None:
    me.page.get_by_role("radiogroup", name="Speak as").get_by_role("radio", name=name).click()
    expect(me.field).to_have_attribute("placeholder", f"Message as {name}")


def test_the_bot_speaks_when_it_is_mentioned_and_only_then(visit: Visit) -> None:
    me = visit()
    gather(me, "Hana", "Ken")
    speak_as(me, "Hana")
    me.say("どこで食べる？")
    expect(me.mine).to_contain_text("Read")
    me.house.settle()
    expect(me.theirs).to_have_count(0)
    me.field.press_sequentially("@")
    names = me.page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(names).to_contain_text(["concierge", "Ken", "All"])
    me.field.press("ArrowDown")
    expect(names.nth(1)).to_have_attribute("aria-selected", "true")
    me.field.press("ArrowUp")
    me.field.press("Enter")
    expect(me.field).to_have_value("@concierge ")
    expect(me.mine).to_have_count(1)
    me.field.press_sequentially("お店は？")
    me.field.press("Enter")
    expect(me.mine.nth(1).locator(".msg-mention")).to_have_text("@concierge")
    me.expect_answers("お店は？”.")
    expect(me.theirs.get_by_title("Show it")).to_contain_text(["Hana@concierge お店は？"])


def test_who_came_in_stays_to_be_seen_whatever_else_changes(visit: Visit) -> None:
    me = visit()
    gather(me, "Hana")
    expect(me.log).to_contain_text("concierge joined the group")
    me.press("Troubles")
    me.house.playground.mischief.set("model_down", "on")
    expect(me.panel.get_by_role("group", name="Model down", exact=True).get_by_label("Always")).to_be_checked()
    expect(me.log).to_contain_text("concierge joined the group")


def test_another_member_is_another_person_to_the_bot(visit: Visit) -> None:
    me = visit()
    gather(me, "Hana", "Ken")
    speak_as(me, "Ken")
    me.field.press_sequentially("@con")
    me.field.press("Tab")
    me.field.press_sequentially("hello")
    me.field.press("Enter")
    answers = me.log.get_by_role("article", name="concierge")
    expect(answers).to_contain_text(["hello”."])
    expect(answers.get_by_title("Show it")).to_contain_text(["Ken"])
    speak_as(me, "Hana")
    expect(me.log.get_by_role("article", name="Ken")).to_contain_text("@concierge hello")
    expect(me.mine).to_have_count(0)
    me.say("@concierge and me?")
    expect(answers).to_contain_text(["hello”.", "and me?”."])
    expect(answers.nth(1)).not_to_contain_text("Earlier messages")
    expect(answers.nth(1).get_by_title("Show it")).to_contain_text("Hana")
    me.picture("group")


def test_who_quotes_the_bot_is_answered(visit: Visit) -> None:
    me = visit()
    gather(me, "You", "Hana")
    me.say("@concierge hello")
    me.expect_answers("hello”.")
    me.do_with(me.theirs, "Reply")
    me.say("Really?")
    me.expect_answers("hello”.", "Really?")


def test_an_edited_message_shows_its_new_text(visit: Visit) -> None:
    me = visit()
    gather(me, "You", "Hana")
    me.say("Meet at 8")
    me.do_with(me.mine, "Edit")
    expect(me.page.get_by_text("Edit message")).to_be_visible()
    expect(me.field).to_have_value("Meet at 8")
    me.say("Meet at 9")
    expect(me.mine).to_contain_text("Meet at 9")
    expect(me.mine).to_contain_text("Edited")
    expect(me.mine).to_have_count(1)
    me.page.reload()
    expect(me.mine).to_contain_text("Meet at 9")


def test_a_message_to_others_tells_why_the_bot_was_silent(visit: Visit) -> None:
    me = visit()
    gather(me, "You", "Hana")
    me.say("Only for Hana")
    story = me.look_into(me.mine)
    expect(story.get_by_role("status")).to_contain_text("Said nothing: the bot was not addressed")


def test_people_and_the_bot_come_and_go(visit: Visit) -> None:
    me = visit({"concierge": "persona: A guide.\nmodel: gpt-4.1-mini\nevents: {join: Hello everyone.}\n"})
    gather(me, "You", "Hana")
    me.expect_answers("Hello everyone.")
    me.press("Members")
    members = me.page.get_by_role("dialog", name="Members of 京都旅行")
    members.get_by_role("group", name="Ken").get_by_role("button", name="Add").click()
    expect(me.log.get_by_text("Ken joined")).to_be_visible()
    members.get_by_role("group", name="Hana").get_by_role("button", name="Remove").click()
    expect(me.log.get_by_text("Hana left")).to_be_visible()
    members.get_by_role("button", name="Done").click()
    expect(me.page.get_by_role("radio")).to_have_count(2)
    me.choose("Chat menu", "Remove concierge from the group")
    expect(me.page.get_by_text("concierge has left the group.")).to_be_visible()
    expect(me.field).to_be_hidden()
    me.press("Invite a bot")
    me.page.get_by_role("dialog", name="Invite a bot").get_by_role("button", name="Invite").click()
    me.expect_answers("Hello everyone.", "Hello everyone.")
    expect(me.field).to_be_visible()
