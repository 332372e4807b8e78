"""The example bots, as they are shipped, served by one handler: two of them are LINE accounts of their own."""

import json

from tests.support.stage import ROOT, Stage


def enter(stage: Stage, name: str) -> None:
    """Give a shipped bot a LINE account, through the variables that its file names."""
    account = stage.accounts[name] = stage.platform.add_account(name)
    stage.setenv(f"{name.upper()}_CHANNEL_SECRET", account.channel_secret)
    stage.setenv(f"{name.upper()}_CHANNEL_TOKEN", account.access_token)


def test_the_concierge_and_the_companion_are_served_by_one_handler(any_stage: Stage) -> None:
    stage = any_stage
    stage.setenv("BOTKIT_BOTS", str(ROOT / "bots"))
    enter(stage, "concierge")
    enter(stage, "companion")
    concierge, companion = stage.accounts["concierge"], stage.accounts["companion"]
    hana, ken = stage.platform.add_person("花", language="ja"), stage.platform.add_person("Ken")
    group = stage.platform.add_group(hana, ken, name="京都旅行")
    stage.post("companion", stage.platform.join(companion, group))

    stage.openai.say("15時からでございます。")
    stage.post("concierge", stage.platform.say(concierge, hana, "チェックインは？"))
    stage.openai.say("Matcha, of course!")
    stage.post(
        "companion", stage.platform.say(companion, ken, "@companion tea or coffee?", chat=group, mention=companion)
    )
    stage.post("companion", stage.platform.say(companion, hana, "お昼どうする？", chat=group))

    (checkin,) = stage.platform.chat(concierge, hana).answers
    assert (checkin.text, checkin.quick_replies[0]) == ("15時からでございます。", "チェックインは？")
    hello, answer = stage.platform.chat(companion, group).texts
    assert hello.startswith("Hello everyone! Say @companion")
    assert answer == "Matcha, of course!"
    inn, trip = (prompt[0]["content"] for prompt in stage.prompts())
    assert "由庵" in inn
    assert "お客様のお名前は「花」です。" in inn
    assert "group chat 京都旅行" in trip
    assert stage.prompts()[1][-1]["content"] == "Ken: tea or coffee?"


def test_no_word_of_one_account_reaches_the_other(any_stage: Stage) -> None:
    stage = any_stage
    stage.setenv("BOTKIT_BOTS", str(ROOT / "bots"))
    enter(stage, "concierge")
    enter(stage, "companion")
    hana = stage.platform.add_person("Hana")
    stage.post("concierge", stage.platform.say(stage.accounts["concierge"], hana, "canary"))
    stage.post("companion", stage.platform.say(stage.accounts["companion"], hana, "hello"))
    assert "canary" not in json.dumps(stage.prompts()[-1])
