"""Makes the README's picture of the page, docs/page.png: `python -m tests.simulator.page.picture`."""

import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect, sync_playwright

from tests.simulator.page.pages import WIDE, House, Visitor, served_by
from tests.simulator.page.web import Web
from tests.support.browser import ARGUMENTS, executable, opened
from tests.support.openai_server import Body, OpenAIServer, Words, openai_server

ROOT = Path(__file__).parents[3]
PICTURE = ROOT / "docs" / "page.png"
LARGEST = 250_000
"""Bytes."""
GUEST = "佐藤 花"

TALK = (
    (
        "明日の朝食は何時からですか？",
        "朝食は7時30分から9時まで、一階の食事処でご用意しております。ごゆっくりお越しくださいませ。",
    ),
    (
        "My train leaves at 7. Could I eat earlier?",
        "Certainly. We can have a breakfast box ready for you at 6:00, with rice balls and miso soup. "
        "Shall I order it, and a taxi to Kyoto Station?",
    ),
    (
        "お願いします。荷物が二つあります。",
        "かしこまりました。お弁当は6時にフロントでお渡しし、タクシーは6時20分に玄関へお呼びいたします。",
    ),
)
IDEA = "Obanzai near Gion: small Kyoto dishes, made to be shared."


def main() -> int:
    """Talk to the bots, open what happened at last, and keep what is seen; 1 where there is no browser for it."""
    path = executable()
    if path is None:
        sys.stderr.write("There is no Chromium on the PATH.\n")
        return 1
    with TemporaryDirectory() as home, openai_server() as model, sync_playwright() as playwright:
        os.chdir(home)  # where there is no `.env`
        house = House(Path(home), served_by(model))
        shutil.copytree(ROOT / "bots", house.bots, dirs_exist_ok=True)
        house.start()
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        meet(Web(house.playground, house.url), model)
        with opened(browser, viewport=WIDE, locale="en-GB", timezone_id="Asia/Tokyo") as page:
            visitor = Visitor(page, house)
            page.goto(house.url)
            talk(visitor, model)
            page.screenshot(path=PICTURE)
            visitor.check()
        browser.close()
        house.stop()
    size = PICTURE.stat().st_size
    sys.stdout.write(f"{PICTURE.relative_to(ROOT)}: {size} bytes\n")
    return 0 if size < LARGEST else 1


def meet(web: Web, model: OpenAIServer) -> None:
    """A guest, and a group with a few words in it."""
    guest = web.do("person", name=GUEST, language="ja")["id"]
    hana, ken = (web.people[name] for name in ("Hana", "Ken"))
    made = web.do("group", name="京都旅行", bot="companion", members=[guest, hana, ken])
    group = {"bot": "companion", "chat": {"kind": made["kind"], "id": made["id"]}}
    model.say(IDEA)
    web.do("say", **group, who=ken, text="What shall we eat tonight?")
    web.do("say", **group, who=hana, text="@companion any ideas?", mentions=["bot"])
    web.messages()


def talk(visitor: Visitor, model: OpenAIServer) -> None:
    """The guest asks the concierge a few things, and then looks at what happened."""
    visitor.press("You are You")
    visitor.page.get_by_role("menuitemradio", name=GUEST).click()
    visitor.open("concierge")
    answers = []
    for asked, answer in TALK:
        model.say(taking_its_time(answer))
        visitor.say(asked)
        answers.append(answer)
        visitor.expect_answers(*answers)
    story = visitor.look_into(visitor.theirs.last)
    expect(story.get_by_role("status")).to_contain_text("Answered in")
    visitor.field.focus()
    visitor.page.mouse.move(0, 0)


def taking_its_time(answer: str) -> Words:
    """Say this after about as long as a model of this size takes."""

    def say(_: Body) -> str:
        time.sleep(1.2)
        return answer

    return say


if __name__ == "__main__":
    sys.exit(main())
