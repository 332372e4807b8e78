"""A local LINE goes on after a restart as if there had been none."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from botkit.errors import StoreError
from botkit.messages import Chat, Content
from botkit.simulator.api import Answer, Request, handle
from botkit.simulator.keeper import Keeper
from botkit.simulator.platform import Platform
from botkit.simulator.wire import Delivery
from tests.simulator.clock import HOUR, MINUTE, SECOND, MovableClock

ROOT = Path(__file__).parents[2]
PHOTO = Content(b"\x00png", "image/png")
BUTTON = {"type": "action", "action": {"type": "message", "label": "More", "text": "More"}}
HELLO = {"type": "text", "text": "hello", "quickReply": {"items": [BUTTON]}}
KEY = "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "line.db"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@contextmanager
def started(path: Path, clock: MovableClock) -> Iterator[Platform]:
    """A platform that remembers, until it is stopped."""
    with closing(Keeper(path)) as keeper:
        platform = Platform(clock)
        keeper.restore(platform)
        keeper.watch(platform)
        yield platform


def post(platform: Platform, path: str, body: object, **headers: str) -> Answer:
    account = platform.account_named("concierge")
    assert account is not None
    given = {"authorization": f"Bearer {account.access_token}", "content-type": "application/json"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return handle(platform, Request("POST", path, given | named, json.dumps(body).encode()))


def reply(platform: Platform, delivery: Delivery, message: object = HELLO) -> int:
    body = {"replyToken": delivery.event["replyToken"], "messages": [message]}
    return post(platform, "/v2/bot/message/reply", body).status


def push(platform: Platform, chat: Chat, **headers: str) -> int:
    return post(platform, "/v2/bot/message/push", {"to": chat.id, "messages": [HELLO]}, **headers).status


def live(platform: Platform, clock: MovableClock) -> None:
    """Do everything once that changes anything."""
    other = platform.add_account("other")
    hana, ken = (platform.add_person(name, language="ja") for name in ("花🍎", "Ken"))
    group, room = platform.add_group(hana, ken, name="Trip"), platform.add_room(hana)
    account, mio = platform.add_account("concierge", quota=5), platform.add_person("Mio")
    platform.join(account, group)
    platform.join(other, room)
    platform.follow(account, hana)
    platform.unfollow(other, ken)
    platform.come(account, group, mio)
    platform.go(account, group, ken)
    said = platform.say(account, hana, "lone \ud83d surrogate @all", chat=group, mention="all")
    clock.sleep(SECOND)
    edited = platform.edit(account, hana, said.message_id, "hello", chat=group)
    asked = platform.say(account, hana, "when?", quote=said.message_id)
    platform.postback(account, hana, "menu=1", text="The menu")
    platform.read(account, asked.event["webhookEventId"])
    platform.send_media(account, hana, "image", PHOTO)
    platform.send_media(account, hana, "video", None)
    gone = platform.send_media(account, hana, "audio", PHOTO)
    platform.unsend(account, hana, gone.message_id)
    card = {"type": "flex", "altText": "a card", "contents": CARD, "sender": {"name": "Yoshi"}}
    assert reply(platform, edited, card) == 200
    assert push(platform, group) == 200
    left = platform.add_group(hana)
    platform.join(other, left)
    platform.leave(other, left)
    platform.set_read_mode(other, "manual")


CARD = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "a"}]}}
STATE = ("accounts", "people", "places", "acquainted", "blocked", "contents", "gone", "quote_tokens")


def state_of(platform: Platform) -> dict[str, Any]:
    """All that is known, and what may still change of an account, which is no part of its being the same."""
    ways = {account.name: (account.quota, account.read_mode) for account in platform.accounts.values()}
    logs = {key: log.utterances for key, log in platform.logs.items() if log.utterances}
    return {**{name: getattr(platform, name) for name in STATE}, "ways": ways, "logs": logs}


def test_everything_is_known_after_a_restart(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as first:
        live(first, clock)
    with started(path, clock) as second:
        assert state_of(second) == state_of(first)
        assert all(second.logs.values())
    with started(path, clock) as third:
        assert state_of(third) == state_of(first)


def test_a_new_file_knows_nothing(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as platform:
        assert state_of(platform) == state_of(Platform(clock))


def test_what_is_said_after_a_restart_stands_after_what_was_said_before(path: Path, clock: MovableClock) -> None:
    said: list[Delivery] = []
    for text in ("one", "two", "three"):
        with started(path, clock) as platform:
            account = platform.account_named("concierge") or platform.add_account("concierge")
            hana = next(iter(platform.people.values()), None) or platform.add_person("Hana")
            said.append(platform.say(account, hana, text))
            platform.read(account, said[0].event["webhookEventId"])
    with started(path, clock) as platform:
        seen = platform.chat(account, hana).utterances
        assert [(one.text, one.read) for one in seen] == [("one", True), ("two", False), ("three", False)]
        assert len({one.id for one in seen}) == 3


def test_a_bots_limits_go_on(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as platform:
        account = platform.add_account("concierge", quota=3)
        hana = platform.add_person("Hana")
        spent, fresh = platform.say(account, hana, "one"), platform.say(account, hana, "two")
        chat = Chat("user", hana.user_id)
        assert reply(platform, spent) == 200
        assert push(platform, chat, x_line_retry_key=KEY) == 200
        assert push(platform, chat) == 200
    with started(path, clock) as platform:
        assert reply(platform, spent) == 400
        assert reply(platform, fresh, HELLO | {"quoteToken": spent.event["message"]["quoteToken"]}) == 200
        assert platform.chat(account, hana).utterances[-1].event_id == fresh.event["webhookEventId"]
        assert push(platform, chat, x_line_retry_key=KEY) == 409
        assert push(platform, chat) == 200
        assert push(platform, chat) == 429


def test_a_token_is_renewed_after_a_restart_as_before(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as platform:
        said = platform.say(platform.add_account("concierge"), platform.add_person("Hana"), "hi")
    clock.sleep(20 * MINUTE)
    with started(path, clock) as platform:
        assert reply(platform, said) == 400
        platform.redeliver(said)
    with started(path, clock) as platform:
        assert reply(platform, said) == 200


def test_what_is_too_old_to_matter_is_dropped(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as platform:
        account, hana = platform.add_account("concierge"), platform.add_person("Hana")
        said = platform.say(account, hana, "hi")
        push(platform, Chat("user", hana.user_id), x_line_retry_key=KEY)
    assert kinds(path) >= {"reply token", "retry key"}
    clock.sleep(21 * MINUTE + 1)
    with started(path, clock) as platform:
        assert reply(platform, platform.redeliver(said)) == 400
    assert "reply token" not in kinds(path)
    assert "retry key" in kinds(path)
    clock.sleep(24 * HOUR)
    with started(path, clock) as platform:
        assert platform.chat(account, hana).utterances[0].text == "hi"
    assert "retry key" not in kinds(path)


def kinds(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {kind for (kind,) in db.execute("SELECT DISTINCT kind FROM records")}


def test_what_was_unsent_or_cleared_is_not_kept(path: Path, clock: MovableClock) -> None:
    with started(path, clock) as platform:
        account, hana = platform.add_account("concierge"), platform.add_person("Hana")
        unsent = platform.send_media(account, hana, "image", PHOTO)
        platform.unsend(account, hana, unsent.message_id)
        group = platform.add_group(hana)
        platform.join(account, group)
        platform.send_media(account, hana, "image", PHOTO, chat=group)
        platform.clear(account, group)
    with started(path, clock) as platform:
        assert platform.contents == {}
        assert platform.is_unsent(account, unsent.message_id)
        assert [log.utterances for (_, chat), log in platform.logs.items() if chat == group] == []
        assert [one.unsent for one in platform.chat(account, hana)] == [True]


def test_a_message_writes_a_few_rows_however_long_the_chat_is(path: Path, clock: MovableClock) -> None:
    with closing(Keeper(path)) as keeper:
        platform = Platform(clock)
        account, hana = platform.add_account("concierge"), platform.add_person("Hana")
        written: list[str] = []
        keeper.watch(platform)
        platform.watch(lambda record: written.append(record.kind))
        for _ in range(100):
            platform.say(account, hana, "hi")
        written.clear()
        platform.say(account, hana, "hi")
    assert sorted(written) == ["quote token", "reply token", "utterance"]


# ---------------------------------------------------------------- notes


def test_notes_are_kept(path: Path) -> None:
    with closing(Keeper(path)) as keeper:
        assert keeper.get("clock") is None
        keeper.put("clock", 1)
        keeper.put("clock", {"offset": [1, None, "花\ud83d"]})
        keeper.put("other", 2)
    with closing(Keeper(path)) as keeper:
        assert (keeper.get("clock"), keeper.get("other")) == ({"offset": [1, None, "花\ud83d"]}, 2)


def test_without_a_file_all_works_and_is_gone_with_the_process(clock: MovableClock) -> None:
    with closing(Keeper(None)) as keeper:
        platform = Platform(clock)
        keeper.watch(platform)
        live(platform, clock)
        keeper.put("clock", 1)
        again = Platform(clock)
        keeper.restore(again)
        assert state_of(again) == state_of(platform)
        assert keeper.get("clock") == 1
    with closing(Keeper(None)) as keeper:
        assert keeper.get("clock") is None


def test_what_happens_after_the_end_is_not_kept(
    path: Path, clock: MovableClock, caplog: pytest.LogCaptureFixture
) -> None:
    with started(path, clock) as platform:
        account, hana = platform.add_account("concierge"), platform.add_person("Hana")
    platform.say(account, hana, "hi")
    with closing(Keeper(path)) as keeper:
        keeper.put("clock", 1)
    keeper.put("clock", 2)
    with started(path, clock) as platform:
        assert platform.chat(account, hana).utterances == ()
    with closing(Keeper(path)) as keeper:
        assert keeper.get("clock") == 1
    assert caplog.messages == []


def test_many_threads_may_talk_at_once(path: Path, clock: MovableClock) -> None:
    with closing(Keeper(path)) as keeper:
        platform = Platform(clock)
        keeper.watch(platform)
        account = platform.add_account("concierge")
        people = [platform.add_person(f"Person {number}") for number in range(8)]

        def talk(number: int) -> None:
            for count in range(25):
                platform.say(account, people[number], str(count))
                keeper.put(f"note {number}", count)

        threads = [Thread(target=talk, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with started(path, clock) as again:
        for person in people:
            assert [one.text for one in again.chat(account, person)] == [str(count) for count in range(25)]


# ---------------------------------------------------------------- whose file it is

HOLD = """
import sys
from pathlib import Path
from botkit.simulator.keeper import Keeper
keeper = Keeper(Path(sys.argv[1]))
keeper.put("clock", 7)
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def another_process(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the file."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_file_in_use_is_refused_and_free_again_once_its_process_was_killed(path: Path) -> None:
    with another_process(path) as process:
        with pytest.raises(StoreError) as refusal:
            Keeper(path)
        assert str(refusal.value) == f"{path}: another botkit is running with it; end that one first"
        process.kill()
        process.wait()
        with closing(Keeper(path)) as keeper:
            assert keeper.get("clock") == 7


def test_a_file_is_refused_to_a_second_keeper_of_the_same_process_too(path: Path) -> None:
    with closing(Keeper(path)) as keeper:
        with pytest.raises(StoreError, match="end that one first"):
            Keeper(path)
        keeper.put("clock", 1)
        assert keeper.get("clock") == 1


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (a)")


def of_version(version: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        Keeper(path).close()
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"PRAGMA user_version = {version}")

    return make


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (
        lambda path: path.write_text("once upon a time " * 100),
        "it is not a database; move it away, and a new one is made",
    ),
    "another program's": (
        other_program,
        "another program keeps its data in it; move it away, and a new one is made",
    ),
    "newer": (
        of_version(2),
        "a newer botkit wrote it (schema 2, this one knows 1); upgrade botkit, or move it away, and a new one is made",
    ),
    "older": (
        of_version(0),
        "an older botkit wrote it (schema 0, this one knows 1); move it away, and a new one is made",
    ),
    "a folder": (
        lambda path: path.mkdir(),
        "it cannot be opened; make its folder one that you may write to",
    ),
}


@pytest.mark.parametrize(("make", "text"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], text: str
) -> None:
    path = tmp_path / "line.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError) as refusal:
        Keeper(path)
    assert str(refusal.value) == f"{path}: {text}"
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [one.name for one in tmp_path.iterdir()] == ["line.db"]


def test_a_place_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="it cannot be opened; make its folder one that you may write to"):
        Keeper(tmp_path / "file" / "line.db")


FULL = """
import logging, resource, sys
from pathlib import Path
from botkit.simulator.keeper import Keeper
from botkit.simulator.platform import Platform
from botkit.wiring import SystemClock
logging.basicConfig(stream=sys.stdout, format="%(message)s")
keeper, platform = Keeper(Path(sys.argv[1])), Platform(SystemClock())
keeper.watch(platform)
account, hana = platform.add_account("concierge"), platform.add_person("Hana")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
for number in range(100):
    platform.say(account, hana, "x" * 1000)
print(len(platform.chat(account, hana)))
"""


def test_a_file_that_cannot_grow_is_told_once_and_stops_nobody(path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, cwd=ROOT, check=True)
    complaint, count = run.stdout.splitlines()
    assert complaint.startswith(f"what happens now is not kept: {path}: ")
    assert count == "100"
