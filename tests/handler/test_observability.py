"""What an operator sees on Lambda: one JSON line for each event that is settled, its metrics, and nobody's words."""

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from botkit.ports import Conversation
from botkit.simulator.chats import Person
from botkit.simulator.wire import Delivery
from tests.handler.test_delivery import MINUTE, later, mend
from tests.support.emf import metrics_of, read_line
from tests.support.stage import Stage

SECOND = 1000
KIND = "persona: You are kind.\nmodel: gpt-4.1-mini\nreply: {error: Sorry!}\n"
Line = dict[str, Any]


class Context:
    """An invocation of the deployed worker."""

    aws_request_id = "8f0e5c3a-6d1b-4b0e-9d3c-2f6a7b8c9d0e"

    def get_remaining_time_in_millis(self) -> int:
        return 90 * SECOND


class Lambda:
    """A stage as Lambda sees it: what is logged goes to stdout, each record as a line."""

    def __init__(self, stage: Stage, printed: Callable[[], str]) -> None:
        stage.setenv("AWS_LAMBDA_FUNCTION_NAME", "worker")
        stage.context = Context()
        self.stage = stage
        self._printed = printed

    def begin(self, text: str = KIND, **environ: str) -> Person:
        """Start the handler with this bot; Hana is there to talk to it."""
        for name, value in environ.items():
            self.stage.setenv(name, value)
        self.stage.bot("kind", text)
        self.stage.restart(on_lines_clock=True)
        return self.stage.platform.add_person("Hana")

    def say(self, person: Person, text: str = "hi", **where: Any) -> Delivery:
        """Somebody writes, and the handler is done with it."""
        return self.send(self.stage.platform.say(self.stage.accounts["kind"], person, text, **where))

    def send(self, delivery: Delivery) -> Delivery:
        assert self.stage.post("kind", delivery)["statusCode"] == 200
        return delivery

    def lines(self) -> list[Line]:
        """All that was logged since this was asked for last, every line of it good JSON with good metrics."""
        lines = [read_line(text) for text in self._printed().splitlines()]
        for line in lines:
            metrics_of(line)
            assert line.keys() >= {"time", "level", "logger", "message"}
            assert line["request_id"] == Context.aws_request_id
        return lines

    def told(self) -> list[Line]:
        """The lines about events that were settled."""
        return [line for line in self.lines() if "outcome" in line]


@pytest.fixture
def aws(stage: Stage, capsys: pytest.CaptureFixture[str]) -> Lambda:
    return Lambda(stage, lambda: capsys.readouterr().out)


def event_of(delivery: Delivery) -> str:
    (event,) = delivery.events
    return str(event["webhookEventId"])


def sums(lines: list[Line]) -> Counter[str]:
    """What CloudWatch would count."""
    total: Counter[str] = Counter()
    for line in lines:
        total.update(metrics_of(line))  # type: ignore[arg-type]
    return total


WAYS = ("Reply", "Button", "Push", "Notice", "Kept", "Dropped", "Lost", "Ambiguous", "Failed", "LeaseWait")


def happened(lines: list[Line]) -> dict[str, int]:
    """How often what happened, by the metrics."""
    return {name: int(times) for name, times in sums(lines).items() if name in WAYS}


# ---------------------------------------------------------------- outcomes


def test_a_reply_is_told_with_all_that_is_known_of_it(aws: Lambda) -> None:
    hana = aws.begin()
    later(aws.stage, 3 * SECOND, "hello Hana")
    said = aws.say(hana)
    (line,) = aws.told()
    (message_id,) = (one.id for one in aws.stage.platform.chat(aws.stage.accounts["kind"], hana).answers)
    usage = aws.stage.openai.requests
    assert len(usage) == 1
    known = {
        "level": "INFO",
        "logger": "botkit.metrics",
        "message": f"event {event_of(said)}: reply",
        "bot": "kind",
        "event": event_of(said),
        "type": "message",
        "chat": "user",
        "outcome": "reply",
        "attempts": 1,
        "sends": 1,
        "model": "gpt-4.1-mini",
        "sent": [message_id],
    }
    assert {name: line[name] for name in known} == known
    steps = ["reply", "groups", "events", "commands", "limits", "media", "moderation", "history", "persona", "model"]
    assert list(line["steps"]) == steps
    assert 0 <= line["waited"] < SECOND < 3 * SECOND <= line["steps"]["model"] <= line["turn"] <= line["reply_window"]
    assert sum(line["steps"].values()) <= line["turn"] < 4 * SECOND
    assert metrics_of(line) == {
        "Reply": 1,
        "Turn": line["turn"],
        "ModelLatency": line["model_latency"],
        "ReplyWindow": line["reply_window"],
        "InputTokens": line["input_tokens"],
        "OutputTokens": line["output_tokens"],
        "Cost": line["cost"],
    }
    assert line["model_latency"] == line["steps"]["model"]
    assert 0 < line["output_tokens"] < line["input_tokens"] < 100
    assert 0 < line["cost"] < 0.001


def test_each_metric_has_its_unit_and_the_namespace_is_the_stacks(aws: Lambda) -> None:
    aws.say(aws.begin(BOTKIT_METRICS="botkit/mybots"))
    (directive,) = aws.told()[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "botkit/mybots"
    assert directive["Dimensions"] == [["bot"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "Reply": "Count",
        "Turn": "Milliseconds",
        "ModelLatency": "Milliseconds",
        "ReplyWindow": "Milliseconds",
        "InputTokens": "Count",
        "OutputTokens": "Count",
        "Cost": "None",
    }


def test_what_a_bug_says_stays_in_the_process(aws: Lambda) -> None:
    """Lambda prints what leaves the handler as it is, and anybody's words may be in it."""
    aws.begin()
    assert aws.stage.handler is not None
    with pytest.raises(RuntimeError, match=r"^AttributeError, told in the line before$") as caught:
        aws.stage.handler({"requestContext": {"http": {"method": 5}}}, aws.stage.context)
    assert caught.value.__cause__ is None
    (line,) = aws.lines()
    assert line["exception"].splitlines()[-1] == "AttributeError"


def test_metrics_can_be_switched_off(aws: Lambda) -> None:
    aws.say(aws.begin(BOTKIT_METRICS="off"))
    (line,) = aws.told()
    assert line["outcome"] == "reply"
    assert not {"_aws", "Reply", "Turn"} & line.keys()


def test_switched_off_metrics_leave_no_lines_where_only_warnings_are_asked_for(aws: Lambda) -> None:
    aws.say(aws.begin(BOTKIT_METRICS="off", BOTKIT_LOG="warning"))
    assert aws.told() == []


def test_messages_answered_together_are_one_line_that_names_each(aws: Lambda) -> None:
    hana, platform = aws.begin(), aws.stage.platform
    account = aws.stage.accounts["kind"]
    one, two = platform.say(account, hana, "one"), platform.say(account, hana, "two")
    aws.send(platform.bundle(one, two))
    (line,) = aws.told()
    assert (line["outcome"], line["event"], line["covers"]) == ("reply", event_of(two), [event_of(one)])
    assert happened([line]) == {"Reply": 1}


def test_silence_in_a_group_is_told_and_is_no_metric(aws: Lambda) -> None:
    hana, platform, account = aws.begin(), aws.stage.platform, aws.stage.accounts["kind"]
    group = platform.add_group(hana)
    aws.send(platform.join(account, group))
    said = aws.say(hana, "lunch?", chat=group)
    joined, line = aws.told()
    assert (joined["type"], joined["outcome"]) == ("join", "silent")
    assert (line["event"], line["chat"], line["outcome"], line["sends"]) == (event_of(said), "group", "silent", 0)
    assert list(line["steps"]) == ["reply", "groups"]
    assert metrics_of(line) == {}


def test_a_command_is_a_reply_without_a_model(aws: Lambda) -> None:
    aws.say(aws.begin(), "/help")
    (line,) = aws.told()
    assert line["outcome"] == "reply"
    assert not {"model", "model_latency", "input_tokens", "cost"} & line.keys()
    assert metrics_of(line).keys() == {"Reply", "Turn", "ReplyWindow"}


def test_a_slow_answer_is_a_notice_then_kept_then_brought_by_the_tap(aws: Lambda) -> None:
    hana, platform = aws.begin(), aws.stage.platform
    later(aws.stage, 50 * SECOND, "worth the wait")
    said = aws.say(hana)
    (notice, kept) = [line for line in aws.lines() if "_aws" in line]
    assert (notice["event"], metrics_of(notice)) == (event_of(said), {"Notice": 1})
    assert (kept["outcome"], kept["sends"]) == ("kept", 0)
    assert happened([kept]) == {"Kept": 1}
    assert kept["turn"] >= 50 * SECOND
    data = platform.calls_of("reply")[0].body["messages"][0]["template"]["actions"][0]["data"]
    tapped = aws.send(platform.postback(aws.stage.accounts["kind"], hana, data))
    (button,) = aws.told()
    assert (button["event"], button["type"], button["outcome"]) == (event_of(tapped), "postback", "button")
    assert button["brings"] == [event_of(said)]
    assert metrics_of(button) == {"Button": 1, "ReplyWindow": button["reply_window"]}
    aws.send(platform.postback(aws.stage.accounts["kind"], hana, data))
    assert [line["outcome"] for line in aws.told()] == ["silent"]


def test_an_answer_whose_token_is_dead_is_a_push_without_a_reply_window(aws: Lambda) -> None:
    hana = aws.begin()
    aws.stage.platform.troubles.refuse("reply", 400, "Invalid reply token")
    aws.say(hana)
    (line,) = aws.told()
    assert (line["outcome"], line["sends"]) == ("push", 2)
    assert happened([line]) == {"Push": 1}
    assert "ReplyWindow" not in metrics_of(line)
    assert len(line["sent"]) == 1


def test_a_reply_nobody_knows_of_is_ambiguous_once_however_many_workers_it_took(aws: Lambda) -> None:
    hana = aws.begin()
    aws.stage.platform.troubles.refuse("reply", 500, times=100)
    said = aws.say(hana)
    (postponed,) = aws.told()
    assert postponed["outcome"] == "postponed"
    assert happened([postponed]) == {}
    assert metrics_of(postponed).keys() == {"Turn", "ModelLatency", "InputTokens", "OutputTokens", "Cost"}
    aws.stage.sweep(after=MINUTE)
    assert aws.told() == []  # it waits on, and what its turn took is told already
    mend(aws.stage)
    aws.stage.sweep(after=11 * MINUTE)
    (line,) = aws.told()
    assert (line["event"], line["outcome"], line["attempts"]) == (event_of(said), "ambiguous", 1)
    assert metrics_of(line) == {"Ambiguous": 1}
    assert line["sends"] == len(aws.stage.platform.calls_of("reply"))


def test_a_reply_nobody_knows_of_that_is_pushed_is_both(aws: Lambda) -> None:
    hana = aws.begin(KIND.replace("error:", "unsure: resend, error:"))
    aws.stage.platform.troubles.refuse("reply", 500, times=100)
    aws.say(hana)
    mend(aws.stage)
    aws.lines()
    aws.stage.platform.troubles.refuse("push", 500, times=100)
    aws.stage.sweep(after=2 * MINUTE)
    mend(aws.stage, "push")
    first = aws.lines()
    aws.stage.sweep(after=11 * MINUTE)
    second = aws.lines()
    assert (happened(first), happened(second)) == ({"Ambiguous": 1}, {"Push": 1})
    assert [line["outcome"] for line in second if "outcome" in line] == ["push"]


def test_an_answer_that_line_refuses_for_good_is_lost(aws: Lambda) -> None:
    hana = aws.begin()
    aws.stage.platform.troubles.refuse("reply", 413, "Too large")
    aws.say(hana)
    (line,) = aws.told()
    assert (line["outcome"], line["sends"]) == ("lost", 1)
    assert happened([line]) == {"Lost": 1}


def test_an_answer_that_waits_for_the_account_to_be_mended_is_settled_later(aws: Lambda) -> None:
    hana = aws.begin()
    aws.stage.platform.troubles.refuse("reply", 403, "Forbidden")
    said = aws.say(hana)
    aws.stage.sweep(after=MINUTE // 2)
    postponed, line = aws.told()
    assert (postponed["outcome"], line["outcome"]) == ("postponed", "reply")
    assert postponed["event"] == line["event"] == event_of(said)
    assert not {"turn", "waited", "model"} & line.keys()
    assert line["reply_window"] >= MINUTE // 2
    both = sums([postponed, line])
    assert (both["Reply"], both["OutputTokens"]) == (1, postponed["output_tokens"])


def test_a_model_that_fails_is_told_and_the_error_text_is_a_reply(aws: Lambda) -> None:
    hana = aws.begin()
    aws.stage.openai.fail(400, "no", code="bad")
    aws.say(hana)
    lines = aws.lines()
    (line,) = [line for line in lines if "outcome" in line]
    assert (line["outcome"], line["failed"], line["sends"]) == ("reply", "ModelError", 1)
    assert metrics_of(line).keys() == {"Reply", "Failed", "Turn", "ModelLatency", "ReplyWindow"}
    assert [one["level"] for one in lines if one["logger"] == "botkit.delivery.answering"] == ["ERROR"]


def test_a_model_that_fails_in_a_group_is_silence_that_is_told(aws: Lambda) -> None:
    hana, platform, account = aws.begin(), aws.stage.platform, aws.stage.accounts["kind"]
    group = platform.add_group(hana)
    aws.send(platform.join(account, group))
    aws.stage.openai.fail(400, "no", code="bad")
    aws.say(hana, "@kind hi", chat=group, mention=account)
    line = aws.told()[-1]
    assert (line["outcome"], line["failed"], line["sends"]) == ("failed", "ModelError", 0)
    assert happened([line]) == {"Failed": 1}


def test_a_message_taken_back_is_told_and_is_no_metric(aws: Lambda) -> None:
    hana, platform = aws.begin(), aws.stage.platform
    account = aws.stage.accounts["kind"]
    said = platform.say(account, hana, "oops")

    def meanwhile(_body: Mapping[str, Any]) -> str:
        aws.stage.post("kind", platform.unsend(account, hana, said.message_id))
        return "never seen"

    aws.stage.openai.say(meanwhile)
    aws.send(said)
    unsend, line = aws.told()
    assert (unsend["type"], unsend["outcome"]) == ("unsend", "silent")
    assert (line["event"], line["outcome"]) == (event_of(said), "unsent")
    assert metrics_of(line) == {}


def test_a_conversation_that_another_worker_has_is_a_lease_wait(aws: Lambda) -> None:
    hana, platform = aws.begin(), aws.stage.platform
    now = platform.clock.now()
    lease = aws.stage.handler.services.store.lease(  # type: ignore[union-attr]
        Conversation("kind", f"user:{hana.user_id}"), "another", now, now + MINUTE
    )
    assert lease.owner == "another"
    aws.say(hana)
    (line,) = aws.lines()
    assert (line["bot"], metrics_of(line)) == ("kind", {"LeaseWait": 1})
    assert "outcome" not in line


def test_what_is_kept_is_told_again_with_the_reply_that_brings_it(aws: Lambda) -> None:
    hana = aws.begin(KIND.replace("error:", "late: keep, error:"))
    aws.stage.platform.troubles.refuse("reply", 400, "Invalid reply token")
    first, second = aws.say(hana, "one"), aws.say(hana, "two")
    kept, reply = aws.told()
    assert (kept["event"], kept["outcome"], reply["event"]) == (event_of(first), "kept", event_of(second))
    assert (reply["outcome"], reply["brings"], len(reply["sent"])) == ("reply", [event_of(first)], 2)
    assert happened([kept, reply]) == {"Kept": 1, "Reply": 2}  # as `botkit usage` counts: two answers went out


def test_an_answer_that_is_kept_again_is_not_counted_again(aws: Lambda) -> None:
    hana = aws.begin(KIND.replace("error:", "late: keep, error:"))
    aws.stage.platform.troubles.refuse("reply", 400, "Invalid reply token", times=2)
    aws.say(hana, "one")
    aws.say(hana, "two")
    lines = aws.told()
    assert [line["outcome"] for line in lines] == ["kept", "kept"]
    assert happened(lines) == {"Kept": 2}
    aws.stage.platform.clock.sleep(25 * 60 * MINUTE)
    aws.say(hana, "three")
    lost, reply = aws.told()
    assert (lost["outcome"], happened([lost])) == ("lost", {"Lost": 2})
    assert reply["outcome"] == "reply"
    assert "type" not in lost  # an answer that waits has nothing of its event any more


def test_answers_that_a_person_has_forgotten_are_dropped(aws: Lambda) -> None:
    hana = aws.begin(KIND.replace("error:", "late: keep, error:"))
    aws.stage.platform.troubles.refuse("reply", 400, "Invalid reply token")
    kept, reset = aws.say(hana, "one"), aws.say(hana, "/reset")
    *_, line = aws.told()
    assert (line["event"], line["outcome"], line["drops"]) == (event_of(reset), "reply", [event_of(kept)])
    assert happened([line]) == {"Reply": 1, "Dropped": 1}


def test_who_leaves_changes_a_message_or_comes_too_late_is_told(aws: Lambda) -> None:
    hana, platform = aws.begin(), aws.stage.platform
    account = aws.stage.accounts["kind"]
    group = platform.add_group(hana)
    aws.send(platform.join(account, group))
    said = aws.say(hana, "@kind hi", chat=group, mention=account)
    aws.send(platform.edit(account, hana, said.message_id, "@kind hello", chat=group))
    aws.send(platform.leave(account, group))
    aws.send(platform.unfollow(account, hana))
    platform.follow(account, hana)
    late = platform.say(account, hana, "late")
    platform.clock.sleep(25 * 60 * MINUTE)
    aws.send(late)
    told = [(line["type"], line["outcome"]) for line in aws.told()]
    assert told == [
        ("join", "silent"),
        ("message", "reply"),
        ("messageEdited", "edited"),
        ("leave", "parted"),
        ("unfollow", "parted"),
        ("message", "stale"),
    ]


def test_a_webhook_that_comes_again_is_told_once(aws: Lambda) -> None:
    hana = aws.begin()
    said = aws.say(hana)
    aws.send(aws.stage.platform.redeliver(said))
    assert [line["outcome"] for line in aws.told()] == ["reply"]


def test_a_step_of_ones_own_is_named_and_what_it_takes_is_its_own(aws: Lambda) -> None:
    slow = "turn.services.clock.sleep(700)\nreply = call_next(turn)\nturn.services.clock.sleep(300)\nreturn reply"
    step = aws.stage.own_step("observed", slow)
    later(aws.stage, 2 * SECOND, "hi")
    aws.say(aws.begin(f"{KIND}pipeline: [{step}, reply, persona, model]\n"))
    (line,) = aws.told()
    assert list(line["steps"]) == ["Own", "reply", "persona", "model"]
    assert SECOND <= line["steps"]["Own"] < SECOND + 100
    assert 2 * SECOND <= line["steps"]["model"] < 2 * SECOND + 100


def test_metrics_are_written_also_where_only_warnings_are_wanted(aws: Lambda) -> None:
    hana = aws.begin(BOTKIT_LOG="warning")
    aws.say(hana)
    aws.say(hana, "/help")
    lines = aws.lines()
    assert happened(lines) == {"Reply": 2}
    assert not {"event", "outcome", "steps"} & {name for line in lines for name in line}
    group = aws.stage.platform.add_group(hana)
    aws.send(aws.stage.platform.join(aws.stage.accounts["kind"], group))
    assert aws.lines() == []


def test_elsewhere_than_on_lambda_nothing_is_printed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.bot("kind", KIND)
    stage.restart(on_lines_clock=True)
    stage.post("kind", stage.platform.say(stage.accounts["kind"], stage.platform.add_person("Hana"), "hi"))
    assert capsys.readouterr() == ("", "")


# ---------------------------------------------------------------- nobody's words

MARK = "Xq7 secret-words"
"""What everybody says, in each text that could find its way into a log."""


def hostile_bot(own: str) -> str:
    return (
        "persona: You speak to {{ user.name }} in {{ chat.name }}.\n"
        "model: {name: gpt-4.1-mini, fallback: [gpt-4.1-nano], timeout: 60s}\n"
        "groups: {answer: always, overhear: 5}\nhistory: {scope: group}\nreply: {slow: push, late: push, push: 3}\n"
        "events: {follow: 'Hi {{ user.name }}', postback: {'*': 'You chose {{ data }}'}}\n"
        f"pipeline: [{own}, reply, groups, events, commands, limits, media, moderation, history, persona, model]\n"
        "moderation: {input: refuse}\nmedia: {audio: transcribe}\n"
    )


OWN = """
if "bug" in turn.text:
    raise ValueError(turn.text)
if "beside" in turn.text:
    turn.spawn(int, turn.text)
return call_next(turn)
"""


class Echo:
    """LINE, whose errors now and then repeat what they were asked: the path, the key, and words out of the body."""

    def __init__(self, app: ASGIApp, chance: random.Random) -> None:
        self.statuses: list[int] = []
        self._app = app
        self._random = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self.statuses or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = (await request.body()).decode()
        at = self._random.randrange(len(body) or 1)
        fault = f"{request.url.path} {request.headers['authorization']} of {body[at : at + 60]} is bad"
        told = {"message": fault[:200], "details": [{"property": "messages[0].text", "message": body[at:]}]}
        await JSONResponse(told, self.statuses.pop())(scope, receive, send)


class Gossip:
    """Everybody says the mark, and everything that can fail does, quoting it."""

    def __init__(self, aws: Lambda, line: Any, seed: int) -> None:
        self.random = random.Random(seed)
        self.echo = line.app = Echo(line.app, self.random)
        self.aws, self.stage, self.platform = aws, aws.stage, aws.stage.platform
        self.said = 0
        self.sent: list[Delivery] = []
        aws.begin(hostile_bot(aws.stage.own_step(f"gossip{seed}", OWN)))
        self.people = [self.platform.add_person(f"{MARK} {name}") for name in ("Mio", "Ken")]
        self.account = self.stage.accounts["kind"]
        for person in self.people:
            self.platform.follow(self.account, person)
        self.group = self.platform.add_group(*self.people, name=f"{MARK} friends")
        self.post(self.platform.join(self.account, self.group))
        # The model's client is made now; two conversations of one sweep could make one each, and leave one unclosed.
        self.post(self.platform.say(self.account, self.people[0], "hello"))

    def post(self, delivery: Delivery) -> None:
        self.stage.post("kind", delivery)
        self.sent.append(delivery)

    def words(self) -> str:
        self.said += 1
        return f"{self.random.choice(('', 'bug ', 'beside '))}{MARK} {self.said} 秘密 " + "word " * 20

    def trouble(self) -> None:
        """LINE or the model fails at the next call, and repeats what it was asked."""
        pick, troubles, openai = self.random.choice, self.platform.troubles, self.stage.openai
        quoted = f"The value '{MARK} {self.said} 秘密 word word word' is bad for {openai.key}"
        endpoint = pick(("reply", "reply", "push", "profile", "group", "member_count", "content", "loading"))
        statuses = (400, 401, 403, 404, 429, 500)
        pick(
            [
                *[lambda: self.echo.statuses.extend([pick(statuses)] * pick((1, 1, 6)))] * 4,
                lambda: troubles.lose(endpoint),
                lambda: troubles.drop(endpoint),
                lambda: openai.fail(pick(statuses), quoted, code=None),
                lambda: openai.send(200, {"error": {"message": quoted}}),
                lambda: openai.send(200, f"<html>{quoted}</html>"),
                lambda: openai.fail(400, quoted, "moderation"),
                lambda: openai.send(
                    200, {"results": [{"flagged": True, "categories": {quoted: True}}]}, at="moderation"
                ),
                lambda: openai.send(200, {"results": [{"flagged": quoted}]}, at="moderation"),
                lambda: openai._act("chat", lambda body: JSONResponse({"choices": [{"message": body}]})),
                lambda: openai.say(lambda body: f"{MARK} {self.said} 秘密 " + "word " * 20),
            ]
        )()

    def act(self) -> None:
        platform, account, pick = self.platform, self.account, self.random.choice
        person, chat = pick(self.people), pick((None, None, self.group))
        where = {"chat": chat} if chat else {}
        said = [one for one in self.sent if one.events and one.events[0]["type"] == "message"]
        delivery = pick(
            [
                *[lambda: platform.say(account, person, self.words(), **where)] * 6,
                lambda: platform.postback(account, person, f"data {MARK}", **where),
                lambda: platform.webhook(account),
                lambda: platform.redeliver(pick(said)) if said else platform.webhook(account),
                lambda: platform.say(account, person, pick(("/help", "/reset", "/usage")), **where),
            ]
        )()
        self.post(delivery)

    def live(self, steps: int) -> None:
        for _ in range(steps):
            if self.random.random() < 0.6:
                self.trouble()
            self.act()
            if self.random.random() < 0.2:
                self.stage.sweep(after=self.random.choice((10 * SECOND, 2 * MINUTE)))


@pytest.mark.parametrize("seed", range(2))
def test_no_line_and_no_story_tells_what_was_said_by_whom_or_any_secret(
    aws: Lambda, line_server: Any, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    gossip = Gossip(aws, line_server, seed)
    gossip.live(80)
    lines, store = aws.lines(), aws.stage.handler.services.store  # type: ignore[union-attr]
    events = {event["webhookEventId"] for one in gossip.sent for event in one.events}
    now = gossip.platform.clock.now()
    records = [record for event in events if (record := store.record("kind", event, now)) is not None]
    notes = [note.text for record in records for note in record.notes]
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    shown = [*(json.dumps(line, ensure_ascii=False) for line in lines), *notes, *messages]
    tokens = [event["replyToken"] for one in gossip.sent for event in one.events if "replyToken" in event]
    tokens += [gossip.account.access_token, gossip.account.channel_secret, aws.stage.openai.key]
    secrets = [token[at : at + 12] for token in tokens for at in range(0, len(token) - 12, 6)]
    people = [gossip.group.id, *(person.user_id for person in gossip.people)]
    banned = (MARK, "secret-words", "秘密", "word word word", *people, *secrets)
    assert [text for text in shown if any(one in text for one in banned)] == []
    # It was no quiet life: much went wrong, was told of, and its words left out.
    assert len({line["outcome"] for line in lines if "outcome" in line}) > 2
    assert any(line.get("exception", "").endswith("ValueError") for line in lines)
    assert any("beside the turn: ValueError" in line["message"] for line in lines)
    assert any("messages[0].text: …" in text for text in messages)
    assert any("moderation: what was said is withheld: unnamed" in note for note in notes)


def test_the_words_of_a_failing_step_are_shown_to_who_asks_for_debug(aws: Lambda) -> None:
    step = aws.stage.own_step("debugged", OWN)
    hana = aws.begin(f"{KIND}pipeline: [{step}, reply, persona, model]\n", BOTKIT_LOG="debug")
    aws.say(hana, "bug in what I said")
    assert any("ValueError: bug in what I said" in line.get("exception", "") for line in aws.lines())
