"""Traces as the page gets them, of the things that happen to a message."""

from collections.abc import Callable
from typing import Any

JSON = dict[str, Any]

BEGAN = 1_763_870_000_250
RECEIVED = BEGAN - 40
EVENT = "01HZX5Q6E5W1K5T7N0JD3N4M2A"
OTHER = "01HZX5Q3AAAA1111BBBB2222CC"
STEPS = ("Reply", "Groups", "Events", "Commands", "Limits", "Moderation", "Media", "History", "Persona", "Model")
PERSONA = (
    "You are the night concierge of Yoshi-an, a small inn in Kyoto with nine rooms.\n"
    "Answer in the guest's language, briefly and warmly.\n\n"
    "Check-in is from 15:00 to 22:00, check-out until 11:00.\n"
    "Breakfast is served from 7:30 to 9:30 in the room by the garden.\n"
    "The bath is open from 16:00 to midnight.\n"
    "What you do not know you do not invent: say that the day staff will call back."
)
MODEL_DOWN = "OpenAI failed with status 503 for 'gpt-4.1-mini': try again later"
FAILED = "OpenAI failed with status 500 for 'gpt-4.1-mini': try again later"


def rehearsal() -> JSON:
    """A plain answer of the rehearsal model."""
    answer = "rehearsal: I heard “When is check-in?”.\nPersona: You are the night concierge of Yoshi-an."
    call = _model(8, 2, answer, rehearsed=True, cost=0, messages=[_persona(), _new("When is check-in?")])
    return _trace(turns=[_turn(12, [call], reply=[answer])], line=[_loading(), _reply(60, answer)], notes=_sent(60))


def long_history() -> JSON:
    """A real model, asked in Japanese with twelve earlier messages and a photo; three more were left out."""
    earlier = [_message(role, text, tokens, "history") for _ in range(6) for role, text, tokens in _EXCHANGE]
    new = _new("この写真の駅から旅館まで、歩いて何分くらいですか？", images=1)
    answer = "京都駅の八条口からですと、歩いて十二分ほどでございます。\nお荷物が多ければ、タクシーで五分です。"
    call = _model(9, 1180, answer, messages=[_persona(), *earlier, new], tokens=(1234, 61), cost=592)
    left_out = [{"role": "user", "text": "Hello? Is anybody there at this hour?", "tokens": 11}, *_OLDEST]
    notes = [
        (14, "turn: answers this event alone"),
        (15, "history: 12 earlier messages, 1080 tokens, 3 left out by max_tokens: 1100"),
        (1195, "model gpt-4.1-mini: sent the persona, 12 earlier messages and 1 new, 1234 tokens; it answered with 61"),
        (1196, "answer: fixed, 1 message"),
        (1240, "reply: LINE took it, messages 530100000000000017"),
    ]
    line = [
        _loading(),
        _call(6, "content", "GET", "/v2/bot/message/530100000000000016/content", 200),
        _reply(1215, answer),
    ]
    return _trace(turns=[_turn(1196, [call], reply=[answer], left_out=left_out)], line=line, notes=notes)


def fallback() -> JSON:
    """The model was down, and the next one answered."""
    said = [_persona(), _new("Could we have breakfast at seven?")]
    answer = "I am afraid breakfast begins at half past seven; I can have something packed for you."
    down = _model(7, 900, "", failed=MODEL_DOWN, tokens=(0, 0), cost=0, messages=said)
    spare = _model(910, 640, answer, name="gpt-4.1-nano", tokens=(214, 19), cost=29, messages=said)
    notes = [(917, f"model gpt-4.1-mini: {MODEL_DOWN}"), *_sent(1600)]
    return _trace(
        turns=[_turn(1560, [down, spare], reply=[answer])], line=[_loading(), _reply(1590, answer)], notes=notes
    )


def burst() -> JSON:
    """Three messages sent in a row, answered by one turn."""
    answer = "Three of you, from the 24th, and a late arrival: noted. Shall I keep dinner?"
    said = [_new("We are three"), _new("from the 24th"), _new("and we arrive after ten")]
    call = _model(11, 810, answer, tokens=(180, 24), cost=112, messages=[_persona(), *said])
    events = [OTHER, "01HZX5Q4DDDD1111BBBB2222CC", EVENT]
    turn = _turn(828, [call], reply=[answer], events=events)
    notes = [(14, f"turn: answers also {', '.join(events[:2])}"), *_sent(870)]
    return _trace(turns=[turn], line=[_loading(), _reply(860, answer)], notes=notes)


def covered() -> JSON:
    """One of the other two: its answer is the lead's."""
    return {**burst(), "event": OTHER, "lead": EVENT, "line": [], "notes": [], "attempts": 1, "sends": 0}


def slow() -> JSON:
    """Slower than the reply token: a button was shown, and the answer waits for a tap."""
    answer = "The temple opens at six; the first bus leaves the station at 5:38."
    call = _model(
        8, 52_000, answer, tokens=(230, 22), cost=128, messages=[_persona(), _new("How early can we see Kiyomizu?")]
    )
    notes = [
        (45_030, "notice: the answer takes long; the token is spent on a button that brings it"),
        (52_020, "answer: fixed, 1 message, waits for a tap or the next reply"),
    ]
    notice = {"type": "template", "altText": "Your answer is on its way.", "template": {"type": "buttons"}}
    line = [_loading(), _call(45_000, "reply", "POST", "/v2/bot/message/reply", 200, _body(notice))]
    return _trace(state="UNDELIVERED", turns=[_turn(52_012, [call], reply=[answer])], line=line, notes=notes, sends=0)


def thinking() -> JSON:
    """The model is at work."""
    call = _model(8, None, "", tokens=(0, 0), cost=0, messages=[_persona(), _new("When is check-in?")])
    turn = {**_turn(0, [call]), "ended": None, "steps": _steps(None, [call])}
    return _trace(state="RECEIVED", turns=[turn], line=[_loading()], notes=[], sends=0)


def killed() -> JSON:
    """The worker died while the model was thinking; the sweep began a second attempt, which answered."""
    answer = "Check-in is from three in the afternoon."
    said = [_persona(), _new("When is check-in?")]
    first = _turn(700, [_model(8, 692, "", failed="the worker was killed", tokens=(0, 0), cost=0, messages=said)])
    second = _turn(
        930, [_model(8, 900, answer, tokens=(190, 12), cost=96, messages=said)], reply=[answer], began=62_000
    )
    notes = [(62_010, "turn: answers this event alone"), (62_980, "reply: LINE took it, messages 530100000000000017")]
    line = [_loading(), _reply(62_950, answer)]
    turns = [{**first, "failed": "the worker was killed"}, second]
    return _trace(turns=turns, line=line, notes=notes, attempts=2)


def unaddressed() -> JSON:
    """Said to somebody else in a group."""
    turn = {**_turn(1, []), "steps": _steps(1, [])[:2]}
    notes = [
        (12, "turn: answers this event alone"),
        (13, "groups: the bot was not addressed"),
        (14, "answer: nothing to say"),
    ]
    return _trace(turns=[turn], line=[], notes=notes, sends=0)


def expired() -> JSON:
    """LINE refused the reply token, and the answer was pushed; LINE failed once there."""
    answer = "Yes, until midnight."
    call = _model(8, 58_000, answer, tokens=(190, 6), cost=86, messages=[_persona(), _new("Is the bath still open?")])
    key = "5e7c1d0a-7c6e-5f0e-9a53-52d8ab1d9e0f"
    body = {"to": "U4af4980629aaaaaaaaaaaaaaaaaaaaaa", "messages": [{"type": "text", "text": answer}]}
    push = _call(64_600, "push", "POST", "/v2/bot/message/push", 500, body, key)
    notes = [
        (64_100, "answer: fixed, 1 message"),
        (64_130, "LINE POST /v2/bot/message/reply: 400 Invalid reply token (request 8f2c)"),
        (64_640, "LINE POST /v2/bot/message/push: 500 Internal Server Error (request 8f2d)"),
        (65_000, "push: LINE took it, messages 530100000000000019"),
    ]
    line = [
        _loading(),
        {**_reply(64_110, answer), "status": 400},
        push,
        {**push, "at": RECEIVED + 64_960, "status": 409},
    ]
    return _trace(turns=[_turn(58_020, [call], reply=[answer])], line=line, notes=notes, sends=3)


def apology() -> JSON:
    """No model answered: the error text was said."""
    text = "Sorry, something went wrong. Please try again."
    down = _model(7, 400, "", failed=FAILED, tokens=(0, 0), cost=0, messages=[_persona(), _new("Hello?")])
    notes = [(410, f"model gpt-4.1-mini: {FAILED}"), (411, f"no answer: {FAILED}"), *_sent(460)]
    return _trace(turns=[{**_turn(410, [down]), "failed": FAILED}], line=[_loading(), _reply(450, text)], notes=notes)


def untold() -> JSON:
    """Known to nobody: the webhook did not get through, or all of it is forgotten."""
    empty = {"state": None, "meaning": "the bot has no record of it: its webhook was refused, or seven days are over"}
    return {**_trace(turns=[], line=[], notes=[], sends=0, attempts=0), **empty, "at": None, "received_at": None}


def heard() -> JSON:
    """A recording that was written down, and judged before the model was asked."""
    words, answer = "When is check-in?", "From three in the afternoon."
    aside = {"temperature": None, "max_output_tokens": None, "context_tokens": None}
    sent = {"tokens": (0, 0), "cost": 0}
    written = {**_model(4, 300, words, name="whisper-1", messages=[], **sent), **aside, "kind": "transcription"}
    judged = {
        **_model(310, 120, "nothing was found", name="omni-moderation-latest", messages=[_new(words)], **sent),
        **aside,
    }
    call = _model(440, 500, answer, messages=[_persona(), _new(words)])
    turn = _turn(960, [written, {**judged, "kind": "moderation"}, call], reply=[answer])
    return _trace(turns=[turn], line=[_reply(1010, answer)], notes=_sent(1020))


def arrived() -> JSON:
    """The connection broke after LINE had shown the answer; asked again, it refused."""
    said = ["LINE POST /v2/bot/message/reply: ProtocolError", "reply: so the earlier call had been delivered"]
    lost = {**_reply(40, "Good evening."), "status": None}
    again = {**_reply(380, "Good evening."), "status": 400}
    notes = [(60, said[0]), (400, said[1])]
    return _trace(turns=rehearsal()["turns"], line=[_loading(), lost, again], notes=notes, sends=2)


def queued() -> JSON:
    """Taken in, and no worker has begun."""
    return _trace(state="RECEIVED", turns=[], line=[], notes=[], sends=0, attempts=0)


def sending() -> JSON:
    """LINE is failing."""
    failing = {**_reply(60, "Good evening."), "status": 500}
    return _trace(
        state="SENDING",
        turns=rehearsal()["turns"],
        line=[_loading(), failing],
        notes=[(50, "answer: fixed, 1 message")],
    )


def tapped() -> JSON:
    """The tap that brought an answer that had waited."""
    notes = [(20, f"a tap: brings the answer to {OTHER}"), (21, "answer: fixed, 1 message"), *_sent(90)[1:]]
    return _trace(turns=[], line=[_reply(80, "The temple opens at six.")], notes=notes)


def command() -> JSON:
    """A command, which asks no model."""
    turn = {**_turn(3, [], reply=["Forgotten."]), "steps": _steps(3, [])[:4]}
    notes = [(12, "turn: answers this event alone"), (13, "commands: reset, the conversation is deleted"), *_sent(30)]
    return _trace(turns=[turn], line=[_reply(25, "Forgotten.")], notes=notes)


def blocked() -> JSON:
    """The person has blocked the bot meanwhile."""
    said = "push: not tried, the person has blocked the bot, or the group has removed it"
    return {**expired(), "notes": [{"at": RECEIVED + 64_100, "text": said}]}


def unsure() -> JSON:
    """The connection broke, and then the token's minute was over."""
    said = "reply: nobody can know whether it arrived; taken as delivered"
    return {**expired(), "notes": [{"at": RECEIVED + 64_100, "text": said}]}


def refused() -> JSON:
    """LINE does not know the bot."""
    said = "LINE POST /v2/bot/message/reply: 401 not authorized (request 8f2c)"
    return {**expired(), "notes": [{"at": RECEIVED + 64_100, "text": said}]}


ALL: dict[str, Callable[[], JSON]] = {
    one.__name__: one
    for one in (
        *(rehearsal, long_history, fallback, burst, covered, heard, command, unaddressed),
        *(queued, thinking, sending, slow, tapped, killed),
        *(expired, arrived, blocked, unsure, refused, apology, untold),
    )
}

# ---------------------------------------------------------------- what they are made of

_EXCHANGE = (
    ("user", "明日の朝食は何時からですか？", 84),
    ("assistant", "朝食は七時半から九時半まで、庭に面したお部屋でご用意いたします。", 96),
)
_OLDEST = [
    {"role": "assistant", "text": "Good evening, this is the night desk of Yoshi-an.", "tokens": 13},
    {"role": "user", "text": "遅くにすみません。予約の確認をお願いします。", "tokens": 20},
]
_MEANINGS = {
    "RECEIVED": "waiting for an answer",
    "SENDING": "its answer is on the way",
    "UNDELIVERED": "its answer waits for a tap or the next reply",
    "DONE": "answered, or nothing to say",
}


def _trace(
    *,
    turns: list[JSON],
    line: list[JSON],
    notes: list[tuple[int, str]],
    state: str = "DONE",
    attempts: int = 1,
    sends: int = 1,
) -> JSON:
    calls = [call for turn in turns for call in turn["models"]]
    return {
        "bot": "concierge",
        "event": EVENT,
        "state": state,
        "meaning": _MEANINGS[state],
        "at": RECEIVED - 35,
        "received_at": RECEIVED,
        "attempts": attempts,
        "sends": sends,
        "lead": None,
        "notes": [{"at": RECEIVED + after, "text": text} for after, text in notes],
        "turns": turns,
        "line": line,
        "usage": {name: sum(call[name] for call in calls) for name in ("input_tokens", "output_tokens", "cost")},
    }


def _turn(
    ms: int,
    models: list[JSON],
    *,
    reply: list[str] | None = None,
    left_out: list[JSON] | None = None,
    events: list[str] | None = None,
    began: int = 0,
) -> JSON:
    return {
        "began": BEGAN + began,
        "ended": BEGAN + began + ms,
        "failed": None,
        "events": events or [EVENT],
        "steps": _steps(ms, models),
        "models": models,
        "left_out": left_out or [],
        "reply": reply or [],
    }


def _steps(ms: int | None, models: list[JSON]) -> list[JSON]:
    """The standard pipeline, each step a little inside the one before; `reply` does something afterwards."""
    starts = [min(at, models[0]["after"] if models else at) for at in range(len(STEPS))]
    ends = [None if ms is None else ms - (2 if at else 0) for at in range(len(STEPS))]
    spans = [
        {"step": step, "after": start, "ms": None if end is None else max(0, end - start)}
        for step, start, end in zip(STEPS, starts, ends, strict=True)
    ]
    inner = [*(span["ms"] for span in spans[1:]), 0]
    return [
        {**span, "own": None if span["ms"] is None else span["ms"] - (inside or 0)}
        for span, inside in zip(spans, inner, strict=True)
    ]


def _model(
    after: int,
    ms: int | None,
    answer: str,
    *,
    messages: list[JSON],
    name: str = "gpt-4.1-mini",
    failed: str | None = None,
    rehearsed: bool = False,
    tokens: tuple[int, int] = (187, 40),
    cost: int = 139,
) -> JSON:
    return {
        "kind": "chat",
        "model": name,
        "after": after,
        "ms": ms,
        "temperature": 0.7,
        "max_output_tokens": 800,
        "base_url": None,
        "failed": failed,
        "rehearsed": rehearsed,
        "messages": messages,
        "answer": answer,
        "input_tokens": tokens[0],
        "output_tokens": tokens[1],
        "cost": cost,
        "context_tokens": 8192,
    }


def _message(role: str, text: str, tokens: int, part: str, images: int = 0) -> JSON:
    return {"role": role, "text": text, "tokens": tokens, "images": images, "part": part}


def _persona() -> JSON:
    return _message("system", PERSONA, 118, "persona")


def _new(text: str, images: int = 0) -> JSON:
    return _message("user", text, 19, "new", images)


def _sent(after: int) -> list[tuple[int, str]]:
    return [(after - 20, "answer: fixed, 1 message"), (after, "reply: LINE took it, messages 530100000000000017")]


def _loading() -> JSON:
    body = {"chatId": "U4af4980629aaaaaaaaaaaaaaaaaaaaaa", "loadingSeconds": 60}
    return _call(45, "loading", "POST", "/v2/bot/chat/loading/start", 202, body)


def _reply(after: int, text: str) -> JSON:
    return _call(after, "reply", "POST", "/v2/bot/message/reply", 200, _body({"type": "text", "text": text}))


def _body(message: JSON) -> JSON:
    return {"replyToken": "0f3779fba3b349968c5d07db31eab56f", "messages": [message]}


def _call(
    after: int, endpoint: str, method: str, path: str, status: int, request: JSON | None = None, key: str | None = None
) -> JSON:
    call = {"at": RECEIVED + after, "endpoint": endpoint, "method": method, "path": path, "status": status}
    return {**call, "request": request, "retry_key": key}
