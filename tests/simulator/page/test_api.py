"""What the page asks for and does, over HTTP, with the real handler behind it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from botkit.simulator.page.app import STATIC
from tests.simulator.page.web import BOT, PATIENCE, Web, opened

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path) as web:
        yield web


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A page on which nothing is said: for what only looks, and for what is refused."""
    home = tmp_path_factory.mktemp("still")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        with opened(home) as web:
            yield web


# ---------------------------------------------------------------- files


def test_the_page_is_served_and_asked_for_anew_each_time(still: Web) -> None:
    answer = still.get("/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.data == (STATIC / "index.html").read_bytes()
    again = still.get("/", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.data) == (304, b"")
    assert still.get("/", **{"If-None-Match": '"other"'}).status == 200


@pytest.mark.parametrize(
    ("name", "kind"), [("tokens.css", "text/css; charset=utf-8"), ("api.js", "text/javascript; charset=utf-8")]
)
def test_its_files_have_the_types_that_browsers_want(still: Web, name: str, kind: str) -> None:
    answer = still.get(f"/static/{name}")
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.data == (STATIC / name).read_bytes()


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e/app.py", "%2fetc%2fpasswd", "nothing.js", "", "."])
def test_no_path_leads_out_of_their_folder(still: Web, name: str) -> None:
    answer = still.get(f"/static/{name}")
    assert (answer.status, "error" in answer.json()) == (404, True)


def test_what_is_not_there_is_told_in_json(still: Web) -> None:
    assert still.get("/sim/nothing").json() == {"error": "There is no GET /sim/nothing here; load the page anew."}
    assert still.get("/sim/do/say").status == 405


# ---------------------------------------------------------------- the world


def test_the_state_tells_who_there_is(web: Web) -> None:
    assert web.playground.cloud.settle(PATIENCE)
    state = web.state()
    assert [person["name"] for person in state["people"]] == ["You", "Hana", "Ken"]
    assert state["me"] == state["people"][0]["id"]
    (bot,) = state["bots"]
    assert (bot["name"], bot["model"], bot["rehearses"], bot["key"]) == (
        "concierge",
        "gpt-4.1-mini",
        True,
        "OPENAI_API_KEY",
    )
    assert (bot["works"], bot["stale"], bot["problems"], bot["quota"], bot["pushed"]) == (True, False, [], None, 0)
    assert bot["commands"] == ["/help", "/reset", "/forget", "/usage"]
    assert (state["groups"], state["chats"], state["problems"]) == ([], [], [])
    assert state["cloud"] == {"waiting": 0, "running": 0, "dead": 0}  # once the first sweep is over
    assert web.state()["version"] > state["version"]


def test_a_text_is_answered_and_both_can_be_read(web: Web) -> None:
    event = web.do("say", **web.mine(text="チェックインは何時？"))["event"]
    asked, answer = web.said()
    assert (asked["via"], asked["text"], asked["who"]) == (
        "person",
        "チェックインは何時？",
        {"kind": "person", "id": web.me, "name": "You"},
    )
    assert (asked["event"], asked["read"], asked["message"]["type"]) == (event, True, "text")
    assert (answer["via"], answer["who"]["kind"], answer["who"]["name"]) == ("reply", "bot", "concierge")
    assert answer["text"].startswith("rehearsal:")
    assert answer["event"] == event
    (chat,) = web.state()["chats"]
    assert (chat["bot"], chat["kind"], chat["id"], chat["count"]) == ("concierge", "user", web.me, 2)
    assert (chat["last"]["id"], chat["blocked"], chat["friend"]) == (answer["id"], False, True)


def test_the_story_of_an_answer_can_be_asked_for(web: Web) -> None:
    event = web.do("say", **web.mine(text="hi"))["event"]
    web.said()
    assert web.get(f"/sim/trace?bot=concierge&event={event}").json()["event"] == event
    assert web.get("/sim/trace?bot=concierge&event=01NOTHING").status == 404
    assert web.get("/sim/trace").status == 404


def test_a_chat_in_which_nothing_was_said_is_empty_and_is_not_made_by_looking(web: Web) -> None:
    hana = web.people["Hana"]
    nothing = {"messages": [], "loading_until": None}
    assert web.get(f"/sim/chat?bot=concierge&kind=user&id={hana}").json() == nothing
    assert web.get(f"/sim/chat?bot=nobody&kind=user&id={hana}").json() == nothing
    assert web.state()["chats"] == []
    for query in ("bot=concierge&kind=user", "bot=concierge&kind=evil&id=1", ""):
        assert web.get(f"/sim/chat?{query}").status == 400


# ---------------------------------------------------------------- what a person does


def test_a_mention_of_the_bot_in_a_group_is_lines(web: Web) -> None:
    group = web.group("You", "Hana")
    hana = web.people["Hana"]
    body = {"bot": "concierge", "chat": group, "who": hana}
    web.do("say", **body, text="lunch?")
    web.do("say", **body, text="🍎 @concierge and @You: when?", mentions=["bot", web.me])
    first, second, answer = web.said(group)
    assert "mention" not in first["message"]
    assert second["message"]["mention"]["mentionees"] == [
        {"index": 3, "length": 10, "userId": web.state()["bots"][0]["user_id"], "type": "user", "isSelf": True},
        {"index": 18, "length": 4, "userId": web.me, "type": "user", "isSelf": False},
    ]
    assert second["who"] == {"kind": "person", "id": hana, "name": "Hana"}
    assert answer["event"] == second["event"]
    web.do("say", **body, text="@All dinner!", mentions=["all"])
    assert web.said(group)[-1]["message"]["mention"]["mentionees"] == [{"index": 0, "length": 4, "type": "all"}]


def test_a_quote_shows_what_it_quotes(web: Web) -> None:
    web.do("say", **web.mine(text="first"))
    first, answer = web.said()
    web.do("say", **web.mine(text="what do you mean?", quote=answer["id"]))
    second = web.said()[2]
    assert second["message"]["quotedMessageId"] == answer["id"]
    assert second["quote"] == {"id": answer["id"], "name": "concierge", "text": answer["text"]}
    assert first["quote"] is None


def test_stickers_and_places_are_sent(web: Web) -> None:
    web.do("sticker", **web.mine(keywords=["happy", "wave"], text=None))
    web.do("location", **web.mine(title="Yoshi-an", address="京都市東山区"))
    sticker, place = [one["message"] for one in web.said() if one["via"] == "person"]
    assert (sticker["type"], sticker["keywords"]) == ("sticker", ["happy", "wave"])
    assert (place["type"], place["title"], place["address"]) == ("location", "Yoshi-an", "京都市東山区")


def test_a_photo_is_shown_until_it_is_unsent(web: Web) -> None:
    web.do("media", **web.mine(kind="image", type="image/png", name="p.png", duration=None, data=b64(PIXEL)))
    photo = web.said()[0]
    url = f"/sim/media/{photo['id']}"
    assert photo["media"] == {"url": url, "type": "image/png", "name": None, "duration": None}
    answer = web.get(url)
    assert (answer.status, answer.headers["content-type"], answer.data) == (200, "image/png", PIXEL)
    assert "content-disposition" not in answer.headers
    web.do("unsend", **web.mine(message=photo["id"]))
    assert web.get(url).status == 404
    shown = web.said()[0]
    assert (shown["unsent"], shown["text"], shown["media"]) == (True, "", None)
    assert web.get("/sim/media/nothing").status == 404


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/xhtml+xml", "text/html;image/png"])
def test_a_file_that_could_run_is_only_saved(web: Web, kind: str) -> None:
    web.do("media", **web.mine(kind="file", type=kind, name="x.svg", data=b64(SVG)))
    answer = web.get(web.said()[0]["media"]["url"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "status", "data", "place"),
    [
        ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=1-2,4-5", 200, b"0123456789", None),
        ("bytes=0-" + "9" * 5000, 200, b"0123456789", None),
    ],
)
def test_sound_can_be_asked_for_in_ranges(web: Web, asked: str, status: int, data: bytes, place: str | None) -> None:
    web.do("media", **web.mine(kind="audio", type="audio/webm;codecs=opus", duration=1200, data=b64(b"0123456789")))
    media = web.said()[0]["media"]
    assert (media["type"], media["duration"]) == ("audio/webm", 1200)
    answer = web.get(media["url"], Range=asked)
    assert (answer.status, answer.data, answer.headers.get("content-range")) == (status, data, place)


def test_an_edit_in_a_group_shows_as_edited(web: Web) -> None:
    group = web.group("You")
    body = {"bot": "concierge", "chat": group, "who": web.me}
    web.do("say", **body, text="lunhc?")
    web.do("edit", **body, message=web.said(group)[0]["id"], text="lunch?")
    (shown,) = web.said(group)
    assert (shown["text"], shown["edited"]) == ("lunch?", True)


def test_a_tapped_button_says_its_text_for_the_person(web: Web) -> None:
    web.do("postback", **web.mine(data="menu=1", params={"date": "2026-11-23"}, text="The menu, please"))
    assert web.said()[0]["text"] == "The menu, please"
    web.do("postback", **web.mine(data="menu=2"))
    assert [one["text"] for one in web.said() if one["via"] == "person"] == ["The menu, please"]


def test_a_redelivered_message_is_not_answered_twice(web: Web) -> None:
    web.do("say", **web.mine(text="hi"))
    asked, _ = web.said()
    again = web.do("redeliver", bot="concierge", chat={"kind": "user", "id": web.me}, message=asked["id"])
    assert again["event"] == asked["event"]
    assert len(web.said()) == 2


def test_who_blocks_a_bot_cannot_write_to_it_before_the_unblocking(web: Web) -> None:
    web.do("follow", bot="concierge", who=web.me)
    web.do("block", bot="concierge", who=web.me)
    assert [(chat["blocked"], chat["friend"]) for chat in web.state()["chats"]] == [(True, True)]
    answer = web.send("say", web.mine(text="hi"))
    assert (answer.status, answer.json()["error"]) == (400, "concierge is blocked by You; unblock it first.")
    web.do("follow", bot="concierge", who=web.me)
    web.do("say", **web.mine(text="hi"))
    assert "hi" in [one["text"] for one in web.said()]


def test_people_and_the_bot_come_and_go(web: Web) -> None:
    mika = web.do("person", name="  Mika ", language="ja")["id"]
    group = web.group("You")
    chat = {"bot": "concierge", "chat": group}
    web.do("come", **chat, people=[mika, web.people["Hana"]])
    web.do("go", **chat, people=[web.people["Hana"]])
    assert web.state()["groups"] == [{**group, "name": "Trip", "bot": "concierge", "members": [web.me, mika]}]
    web.do("leave", **chat)
    assert web.state()["groups"][0]["bot"] is None
    assert web.send("say", {**chat, "as": web.me, "text": "?"}).json()["error"] == (
        "concierge is not in this group and hears nothing; invite it first."
    )
    web.do("join", **chat)
    assert {"id": mika, "name": "Mika", "language": "ja"} in web.state()["people"]
    assert [one["who"]["kind"] for one in web.messages(group)].count("system") >= 5


def test_reset_forgets_what_is_shown_and_what_the_bot_knows(web: Web) -> None:
    web.do("say", **web.mine(text="my name is Ringo"))
    web.said()
    web.do("reset", bot="concierge", chat={"kind": "user", "id": web.me})
    assert web.messages() == []
    web.do("say", **web.mine(text="who am I?"))
    assert "Ringo" not in web.said()[-1]["text"]


def test_time_can_jump_and_the_sweep_be_run(web: Web) -> None:
    before = web.state()
    web.do("jump", ms=3_600_000)
    after = web.state()
    assert (after["offset"] - before["offset"], after["now"] - before["now"] >= 3_600_000) == (3_600_000, True)
    web.do("sweep")


def test_a_trouble_is_set_and_shown(web: Web) -> None:
    name = web.state()["troubles"][0]["name"]
    web.do("trouble", name=name, mode="once", value=None)
    assert web.state()["troubles"][0]["mode"] == "once"


# ---------------------------------------------------------------- what LINE's app would not let one do


def refusal(web: Web, verb: str, body: Any) -> tuple[int, str]:
    answer = web.send(verb, body)
    error: str = answer.json()["error"]
    return answer.status, error


def test_a_text_is_at_most_5000_utf16_units_long(web: Web) -> None:
    web.do("say", **web.mine(text="🍎" * 2500))
    assert refusal(web, "say", web.mine(text="🍎" * 2500 + "x")) == (
        400,
        "text: is longer than LINE takes, which is 5000 UTF-16 units; shorten it",
    )
    assert len([one for one in web.said() if one["via"] == "person"]) == 1


@pytest.mark.parametrize(
    ("verb", "change", "status", "text"),
    [
        ("say", {"text": " \n　"}, 400, "text: is empty; write something"),
        ("say", {"text": 7}, 400, "text: input should be a valid string"),
        ("say", {}, 400, "text: field required"),
        ("say", {"text": "hi", "bot": "nobody"}, 404, "There is no bot 'nobody'; there is concierge."),
        ("say", {"text": "hi", "bot": "../etc/passwd"}, 404, "There is no bot '../etc/passwd'; there is concierge."),
        ("say", {"text": "hi", "as": "U0"}, 404, "There is nobody with the id 'U0'; load the page anew."),
        ("say", {"text": "hi", "chat": {"kind": "group", "id": "C0"}}, 404, "There is no such group; load the page anew."),
        ("say", {"text": "hi", "chat": {"kind": "user", "id": "U0"}}, 400, "This is another person's chat; You cannot see it."),
        ("say", {"text": "hi", "chat": {"kind": "x", "id": "U0"}}, 400, "chat.kind: input should be 'user', 'group' or 'room'"),
        ("say", {"text": "hi", "chat": "U0"}, 400, "chat: input should be an object"),
        ("say", {"text": "hi", "mentions": ["bot"]}, 400, "Mentions are for groups; in a chat of two the bot hears everything."),
        ("say", {"text": "hi", "quote": "1"}, 404, "There is no such message in this chat; load the page anew."),
        ("say", {"text": "hi", "mentions": ["x"] * 21}, 400, "mentions: tuple should have at most 20 items after validation, not 21"),
        ("unsend", {"message": "1"}, 404, "There is no such message in this chat; load the page anew."),
        ("redeliver", {"message": "1"}, 404, "There is no such message in this chat; load the page anew."),
        ("media", {"kind": "image", "type": "image/png", "data": "%%%"}, 400, "data: is no base64; send the bytes as standard base64"),
        ("media", {"kind": "image", "type": "image/png", "data": "é"}, 400, "data: is no base64; send the bytes as standard base64"),
        ("media", {"kind": "image", "type": "image/png", "data": ""}, 400, "data: holds nothing; choose a file that is not empty"),
        ("media", {"kind": "image", "type": "image/svg+xml", "data": "AAAA"}, 400, "LINE's app sends no image/svg+xml as image; send it as a file."),
        ("media", {"kind": "audio", "type": "text/html", "data": "AAAA"}, 400, "LINE's app sends no text/html as audio; send it as a file."),
        ("person", {"name": "Hana"}, 400, "There is a Hana already; take another name, so that mentions are clear."),
        ("person", {"name": "   "}, 400, "name: is empty; write a name"),
        ("person", {"name": "Rei", "language": "<b>"}, 400, "language: string should match pattern '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$'"),
        ("group", {"name": "Trip", "members": []}, 400, "members: tuple should have at least 1 item after validation, not 0"),
        ("group", {"name": "Trip", "members": ["U0"]}, 404, "There is nobody with the id 'U0'; load the page anew."),
        ("jump", {"ms": -1}, 400, "ms: input should be greater than 0"),
        ("jump", {"ms": 10**18}, 400, "ms: input should be less than or equal to 31622400000"),
        ("jump", {"ms": "1"}, 400, "ms: input should be a valid integer"),
        ("postback", {"data": "x" * 301}, 400, "data: string should have at most 300 characters"),
        ("trouble", {"name": "model_down", "mode": "x"}, 400, "mode: input should be 'off', 'once' or 'on'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_sentence(
    still: Web, verb: str, change: dict[str, Any], status: int, text: str
) -> None:
    assert refusal(still, verb, still.mine(**change)) == (status, text)
    assert still.messages() == []


def test_a_trouble_that_there_is_not_is_refused(still: Web) -> None:
    status, text = refusal(still, "trouble", {"name": "flood", "mode": "on", "value": None})
    assert (status, "flood" in text) == (400, True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"x"', b"[" * 100_000, b"\xff", b'{"text": "\\ud800"}'])
def test_what_is_no_object_of_json_is_refused(still: Web, body: bytes) -> None:
    status, _ = refusal(still, "say", body)
    assert status == 400


def test_an_unknown_verb_is_told_with_the_known_ones(still: Web) -> None:
    status, text = refusal(still, "hack", {})
    assert (status, text.startswith("There is no action 'hack'; there are say, ")) == (404, True)


def test_a_file_over_ten_megabytes_is_refused(web: Web) -> None:
    data = b64(b"x" * 10_000_001)
    media = web.mine(kind="file", type="application/pdf", name="a.pdf")
    assert refusal(web, "media", {**media, "data": data}) == (
        400,
        "data: is larger than 10 MB; choose a smaller file",
    )
    assert refusal(web, "media", {**media, "data": data, "more": "x" * 100_000}) == (
        400,
        "This is too large; choose a file of at most 10 MB.",
    )
    web.do("media", **media, data=data[:-4])


def test_only_members_write_mention_and_are_mentioned(web: Web) -> None:
    group, hana = web.group("You"), web.people["Hana"]
    body = {"bot": "concierge", "chat": group, "text": "hi"}
    assert refusal(web, "say", {**body, "as": hana}) == (
        400,
        "Not in this group: Hana. Only members write here; add Hana first.",
    )
    assert refusal(web, "say", {**body, "as": web.me, "mentions": [hana]}) == (
        400,
        "Not in this group: Hana. Only members can be mentioned.",
    )
    assert refusal(web, "come", {**body, "people": [web.me]}) == (400, "In this group already: You.")
    assert refusal(web, "go", {**body, "people": [hana]}) == (400, "Not in this group: Hana.")
    assert refusal(web, "join", body) == (
        400,
        "It is in this group already, and LINE allows one official account.",
    )
    assert web.said(group) == []


def test_only_ones_own_texts_in_groups_can_be_edited_and_only_ones_own_messages_unsent(web: Web) -> None:
    group = web.group("You", "Hana")
    mine = {"bot": "concierge", "chat": group, "as": web.me}
    hers = {**mine, "as": web.people["Hana"]}
    web.do("say", **{**mine, "text": "hi"})
    web.do("sticker", **mine)
    text, sticker = (one["id"] for one in web.said(group))
    not_hers = (400, "Somebody else said that; Hana can change only messages of their own.")
    assert refusal(web, "unsend", {**hers, "message": text}) == not_hers
    assert refusal(web, "edit", {**hers, "message": text, "text": "?"}) == not_hers
    assert refusal(web, "edit", {**mine, "message": sticker, "text": "?"}) == (
        400,
        "Only a text can be edited; unsend this message instead.",
    )
    web.do("unsend", **mine, message=text)
    assert refusal(web, "unsend", {**mine, "message": text}) == (400, "This message was unsent already.")
    web.do("say", **web.mine(text="alone"))
    asked, answer = web.said()
    assert refusal(web, "edit", web.mine(message=asked["id"], text="?")) == (
        400,
        "LINE lets people edit in groups only; unsend the message and write it anew.",
    )
    assert refusal(web, "unsend", web.mine(message=answer["id"]))[0] == 400


def test_a_message_can_be_unsent_for_seven_days(web: Web) -> None:
    web.do("say", **web.mine(text="one"))
    web.do("say", **web.mine(text="two"))
    one, two = (message["id"] for message in web.said() if message["via"] == "person")
    web.do("jump", ms=6 * 24 * 3_600_000)
    web.do("unsend", **web.mine(message=one))
    web.do("jump", ms=2 * 24 * 3_600_000)
    assert refusal(web, "unsend", web.mine(message=two)) == (
        400,
        "LINE lets nobody unsend a message that is older than seven days.",
    )


def test_a_bot_whose_file_never_was_right_is_shown_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with opened(tmp_path, concierge=BOT, broken="persona: hi\nmodle: x\n") as web:
        broken, good = sorted(web.state()["bots"], key=lambda bot: str(bot["name"]))
        assert (broken["works"], broken["model"], good["works"]) == (False, None, True)
        problem = broken["problems"][1]
        assert (Path(problem["file"]).name, problem["line"], problem["column"]) == ("broken.yaml", 2, 1)
        assert problem["text"] == "modle: unknown option; did you mean `model`?"
        assert json.dumps(problem) in map(json.dumps, web.state()["problems"])
        status, text = refusal(web, "say", web.mine(bot="broken", text="hi"))
        assert (status, text.startswith("broken cannot answer before its file is right: ")) == (400, True)
