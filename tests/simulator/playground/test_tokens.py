"""A bot with a channel id is tried without an account, and gets its tokens as it will on LINE."""

from pathlib import Path

from botkit.simulator.playground.playground import Playground

MINUTE = 60_000


def test_it_answers_here_by_tokens_that_this_line_issues_and_that_end_here(tmp_path: Path) -> None:
    (tmp_path / "bots").mkdir()
    text = "line: {channel_secret: env:NOWHERE, channel_id: 2001234567}\npersona: Be kind.\nmodel: gpt-4.1-mini\n"
    (tmp_path / "bots" / "kind.yaml").write_text(text, "utf-8")
    with Playground.open(tmp_path / "bots", {"BOTKIT_STORE": "memory:"}) as playground:
        account = playground.accounts["kind"]
        for text, calls in (("one", 1), ("two", 1), ("three", 2)):
            playground.deliver(playground.platform.say(account, playground.me, text))
            assert playground.cloud.settle(20)
            assert len(playground.platform.calls_of("token")) == calls
            if text == "two":
                playground.jump(14 * MINUTE)
                assert playground.cloud.settle(20)
        texts = playground.platform.chat(account, playground.me).texts
    assert [f"I heard “{said}”" in answer for said, answer in zip(("one", "two", "three"), texts, strict=True)] == [
        True,
        True,
        True,
    ]
