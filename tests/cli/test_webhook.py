"""`botkit webhook`: addresses are set and tested, at a LINE and with a handler behind HTTP."""

import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event

import pytest
from starlette.responses import JSONResponse, Response

from botkit.cli.main import main
from tests.cli.town import Town, printed, town

OLD = "https://old.example.com/line/concierge"


class Terminal(StringIO):
    """Somebody sits there and types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def servers() -> Iterator[Town]:
    with town() as servers:
        yield servers


@pytest.fixture
def here(servers: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.chdir(tmp_path)
    servers.reset(tmp_path, monkeypatch)
    return servers


# ---------------------------------------------------------------- set


def test_addresses_are_set_and_tested(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    accounts = [here.bot("concierge"), here.bot("night-office")]
    assert main(["webhook", "set", "--all", "--url", f"{here.door.url}/"]) == 0
    assert [here.now(account).webhook for account in accounts] == [
        here.address("concierge"),
        here.address("night-office"),
    ]
    out = capsys.readouterr().out
    assert out.startswith(
        f"concierge     ok      {here.address('concierge')}\n"
        "                      set; there was none before\n"
        "                      LINE's test went through\n"
        f"night-office  ok      {here.address('night-office')}\n"
    )
    names = ["Use webhook", "Webhook redelivery", "Auto-reply messages", "Allow bot to join group chats"]
    assert all(name in out for name in names)


def test_what_is_set_already_is_left_as_it_is(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.platform.set_webhook(here.bot("concierge"), here.address("concierge"))
    assert main(["webhook", "set", "concierge", "--url", here.door.url]) == 0
    assert capsys.readouterr().out == (
        f"concierge  ok      {here.address('concierge')}\n                   LINE's test went through\n"
    )
    assert [call.method for call in here.platform.calls_of("webhook")] == ["GET", "GET"]


def test_another_address_is_not_replaced_where_nobody_can_be_asked(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = [here.bot("concierge"), here.bot("office")]
    here.platform.set_webhook(accounts[0], OLD)
    assert main(["webhook", "set", "--all", "--url", here.door.url]) == 2
    assert "would be replaced (concierge), and there is nobody to ask; add --yes" in capsys.readouterr().err
    assert [here.now(account).webhook for account in accounts] == [OLD, None]


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("Y\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_another_address_is_replaced_where_that_is_meant(
    here: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    account = here.bot("concierge")
    here.platform.set_webhook(account, OLD)
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    assert main(["webhook", "set", "concierge", "--url", here.door.url]) == code
    shown = capsys.readouterr()
    assert here.now(account).webhook == (OLD if code else here.address("concierge"))
    assert f"now  {OLD}\n  new  {here.address('concierge')}\n" in shown.err
    assert f"set; it was {OLD}" in shown.out if code == 0 else shown.err.endswith("Nothing was set.\n")


def test_with_yes_nobody_is_asked(here: Town) -> None:
    account = here.bot("concierge")
    here.platform.set_webhook(account, OLD)
    assert main(["webhook", "set", "concierge", "--url", here.door.url, "--yes"]) == 0
    assert here.now(account).webhook == here.address("concierge")


def test_each_bot_s_failure_is_its_own(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, unset = here.bot("good"), here.bot("bad"), here.bot("unset")
    here.setenv("BAD_TOKEN", "nobody-s-token-0123456789")
    here.setenv("UNSET_TOKEN", "")
    (here.bots / "local.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\n")
    assert main(["webhook", "set", "--all", "--url", here.door.url, "--json"]) == 1
    found = {one["bot"]: one for one in printed(capsys.readouterr().out)}
    assert {name: one["ok"] for name, one in found.items()} == {"bad": False, "good": True, "unset": False}
    assert found["bad"]["error"].startswith("LINE GET webhook endpoint: 401 Authentication failed.")
    assert found["unset"]["error"].startswith("env:UNSET_TOKEN is not set")
    assert found["good"] == {
        "bot": "good",
        "ok": True,
        "address": here.address("good"),
        "before": None,
        "set": True,
        "active": True,
        "test": {"success": True, "status": 200, "reason": "OK", "detail": "200"},
        "error": None,
        "cure": None,
    }
    assert [here.now(one).webhook for one in (good, bad, unset)] == [here.address("good"), None, None]


def test_a_bot_whose_file_is_wrong_is_told_and_the_others_are_set(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    account = here.bot("good")
    (here.bots / "bad.yaml").write_text("persona: hi\n")
    assert main(["webhook", "set", "--all", "--url", here.door.url]) == 1
    assert "bad.yaml:1:1: `model` is missing" in capsys.readouterr().err
    assert here.now(account).webhook == here.address("good")


def test_a_bot_without_an_account_is_told_so_where_it_is_named(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    (here.bots / "local.yaml").write_text("persona: hi\nmodel: gpt-4.1-mini\n")
    assert main(["webhook", "set", "local", "--url", here.door.url]) == 1
    assert "LINE account; add its line: section" in capsys.readouterr().out
    assert main(["webhook", "test", "--all"]) == 1
    assert capsys.readouterr().out.startswith("no bot has a LINE account")


def test_a_channel_id_gets_its_token_from_line(here: Town) -> None:
    account = here.bot("concierge", channel_access_token="", channel_id="own")
    assert main(["webhook", "set", "concierge", "--url", here.door.url]) == 0
    assert here.now(account).webhook == here.address("concierge")


def test_what_line_lost_is_told(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.bot("concierge")
    here.platform.troubles.lose("webhook_test")
    assert main(["webhook", "set", "concierge", "--url", here.door.url]) == 1
    assert "LINE POST webhook test: 500 Internal Server Error (request " in capsys.readouterr().out


def test_an_address_that_line_does_not_show_is_not_taken_for_set(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    account, troubles = here.bot("concierge"), here.platform.troubles
    here.platform.set_webhook(account, OLD)
    troubles.hang("webhook").release()  # the first call goes through
    troubles.refuse("webhook", 200)  # the second, which sets it, does nothing
    assert main(["webhook", "set", "concierge", "--url", here.door.url, "--yes"]) == 1
    assert f"LINE has taken the address, and still shows {OLD}" in capsys.readouterr().out


def test_use_webhook_that_is_off_is_told(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    account = here.bot("concierge")
    here.platform.set_webhook(account, here.address("concierge"))
    here.platform.use_webhook(account, active=False)
    assert main(["webhook", "test", "concierge"]) == 0
    out = capsys.readouterr().out
    assert '"Use webhook" is off, so LINE sends no messages there' in out
    assert "Messaging API tab" in out


# ---------------------------------------------------------------- test


@pytest.mark.parametrize(
    ("answer", "said", "cure"),
    [
        (Response(status_code=400), "answers 400: the bot there takes the webhook for another", "line.user_id"),
        (
            Response(status_code=401),
            "answers 401: no bot of this name is there, or its channel secret",
            "Basic settings",
        ),
        (Response(status_code=403), "answers 403", "auth type NONE"),
        (Response(status_code=404), "answers 404: there is something at the address, but no bot", "botkit webhook set"),
        (Response(status_code=302, headers={"location": "/"}), "answers 302: LINE follows no redirects", "leads to"),
        (
            JSONResponse({"error": "x"}, 503),
            "answers 503: the bot's file or one of its secrets is wrong there",
            "deploy",
        ),
        (Response(status_code=418), "answers 418: that is no answer of a bot's", "the address is the deployment's"),
    ],
)
def test_lines_verdict_comes_in_plain_words_with_the_cure(
    here: Town, capsys: pytest.CaptureFixture[str], answer: Response, said: str, cure: str
) -> None:
    here.platform.set_webhook(here.bot("concierge"), here.address("concierge"))
    here.answer = lambda: answer
    assert main(["webhook", "test", "concierge"]) == 1
    first, text, then, *_ = capsys.readouterr().out.splitlines()
    assert first == f"concierge  failed  {here.address('concierge')}"
    assert said in text
    assert then.strip().startswith("→ ")
    assert cure in then


def test_a_wrong_channel_secret_shows_in_lines_test(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.platform.set_webhook(here.bot("concierge"), here.address("concierge"))
    here.setenv("CONCIERGE_SECRET", "another-channel-s-secret")
    assert main(["webhook", "test", "concierge"]) == 1
    out = capsys.readouterr().out
    assert "answers 401: no bot of this name is there, or its channel secret is not this channel's" in out
    assert "another-channel-s-secret" not in out


def test_a_bot_that_takes_longer_than_two_seconds(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.platform.set_webhook(here.bot("concierge"), here.address("concierge"))
    released = Event()
    here.answer = lambda: released.wait(20) and None
    try:
        assert main(["webhook", "test", "concierge", "--json"]) == 1
    finally:
        released.set()
    (found,) = printed(capsys.readouterr().out)
    assert found["test"]["reason"] == "REQUEST_TIMEOUT"
    assert found["error"].startswith("there was no answer within two seconds")


def test_an_address_where_nobody_is(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.platform.set_webhook(here.bot("concierge"), "http://127.0.0.1:9/line/concierge")
    assert main(["webhook", "test", "concierge"]) == 1
    assert "LINE cannot connect to it (COULD_NOT_CONNECT: Connection failed: " in capsys.readouterr().out


def test_there_must_be_an_address_to_test(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.bot("concierge")
    assert main(["webhook", "test", "concierge"]) == 1
    assert capsys.readouterr().out == (
        "concierge  failed  –\n                   no address is set\n                   → botkit webhook set concierge\n"
    )


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize("arguments", [[], ["concierge", "--all"]])
def test_bots_are_named_or_all_of_them_are_meant(
    here: Town, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    here.bot("concierge")
    assert main(["webhook", "test", *arguments]) == 2
    assert "name one bot or more, or write --all" in capsys.readouterr().err


def test_a_bot_that_there_is_not(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    here.bot("concierge")
    assert main(["webhook", "test", "concirge"]) == 2
    assert "did you mean `concierge`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bots.example.com", "is not an address; write one such as https://"),
        ("https://", "is not an address"),
        ("https://[", "is not an address"),
        ("https://bots.example.com:x", "is not an address"),
        ("https://bots example.com", "is not an address"),
        ("ftp://bots.example.com", "is not an address"),
        ("http://bots.example.com", "begins with http://, and LINE takes https:// alone"),
        ("https://me:secret@bots.example.com", "holds more than a host and a path"),
        ("https://bots.example.com?x=1", "holds more than a host and a path"),
        ("https://bots.example.com/line/concierge", "holds /line already"),
        ("https://bots.example.com/line", "holds /line already"),
        (f"https://bots.example.com/{'x' * 450}", "has more than 462 characters"),
    ],
)
def test_an_address_that_line_would_not_take(
    here: Town, capsys: pytest.CaptureFixture[str], url: str, said: str
) -> None:
    account = here.bot("concierge")
    assert main(["webhook", "set", "concierge", "--url", url]) == 2
    err = capsys.readouterr().err
    assert f"--url {said}" in err
    assert "secret@" not in err
    assert here.now(account).webhook is None


def test_line_itself_takes_no_address_of_this_machine(
    here: Town, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.bot("concierge")
    monkeypatch.delenv("BOTKIT_LINE_URL")
    assert main(["webhook", "set", "concierge", "--url", here.door.url]) == 2
    assert "LINE takes https:// alone" in capsys.readouterr().err


def test_without_credentials_the_stack_cannot_be_asked(here: Town, capsys: pytest.CaptureFixture[str]) -> None:
    account = here.bot("concierge")
    assert main(["webhook", "set", "concierge"]) == 1
    assert "botkit: AWS has no region" in capsys.readouterr().err.replace("\n", " ")
    assert here.now(account).webhook is None
