"""The step `model` by itself: what of a conversation fits the model's context window."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.messages import Chat, Content, Event, Message
from botkit.models.rehearsal import RehearsalModel
from botkit.models.tokens import count_tokens
from botkit.ports import Conversation, Services
from botkit.steps.model import Model
from botkit.testing import MovableClock
from botkit.turn import Said, Turn, User
from tests.support.samples import NOW

INN = type("Inn", (), {"name": "inn", "description": "", "timezone": ZoneInfo("UTC")})()
HANAS = Chat("user", "U1")
EVENT = Event("e1", "message", NOW, "active", HANAS, "U1", None, False, "{}")
PHOTO = Content(b"jpeg", "image/jpeg")
MODEL = Model(name="small", context_tokens=3000, max_output_tokens=100)


class Counting(RehearsalModel):
    """It tells what it was asked to count."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def count_tokens(self, model: str, text: str) -> int:
        self.asked.append(text)
        return super().count_tokens(model, text)


def turn_of(system: str, history: Sequence[Message], said: Sequence[Said]) -> Turn:
    return Turn(
        bot=INN,
        event=EVENT,
        chat=HANAS,
        conversation=Conversation("inn", "user:U1"),
        user=User("U1", lambda: None),
        services=cast(Services, SimpleNamespace(model=Counting(), clock=MovableClock(NOW))),
        deadline=NOW,
        access_token="",
        said=tuple(said),
        system=system,
        history=tuple(history),
    )


def tokens(message: Message) -> int:
    return count_tokens("", message.content) if message.tokens is None else message.tokens


def prompt_exactly(turn: Turn) -> list[tuple[str, str]]:
    """The prompt as it is to be: everything counted. Each message costs six tokens besides its own, a photo 1,200."""
    *before, last = (Message("user", one.text, images=one.images) for one in turn.said)
    room = 3000 - 100 - 3 * 6 - tokens(Message("system", turn.system)) - 1200 * sum(len(o.images) for o in turn.said)
    while tokens(last) > room and len(last.text) > 100:
        last = replace(last, text=last.text[: len(last.text) * 3 // 4] + "…")
    room -= tokens(last)
    known = [*turn.history, *before]
    while known and sum(tokens(one) + 6 for one in known) > room:
        known.pop(0)
    return [(one.role, one.text) for one in (Message("system", turn.system), *known, last)]


TEXTS = st.builds(
    lambda words, times: f"x{words * times}",
    st.sampled_from(["こんにちは、世界", "🍣👨‍👩‍👧", "\ud83c", "the quick brown fox ", " ", "word ", "0"]),
    st.sampled_from([1, 5, 20, 60, 300]),
)
HISTORY = st.lists(st.builds(Message, st.just("user"), TEXTS, tokens=st.none() | st.integers(0, 900)), max_size=12)
SAID = st.lists(st.builds(Said, st.just(EVENT), TEXTS, st.sampled_from([(), (PHOTO,)])), min_size=1, max_size=3)


@settings(max_examples=500, deadline=None)  # the first count loads a table
@given(TEXTS, HISTORY, SAID)
def test_a_prompt_is_what_it_would_be_if_everything_were_counted(
    system: str, history: list[Message], said: list[Said]
) -> None:
    turn = turn_of(system, history, said)
    assert [(one.role, one.text) for one in MODEL.prompt(turn, "small")] == prompt_exactly(turn)


def test_nothing_is_counted_where_bytes_fit_and_all_is_where_they_may_not() -> None:
    history = [Message("user", "x" * 500), Message("assistant", "x" * 500, tokens=63)]
    # 3000 less the answer's 100; four messages and the beginning of the answer cost six each.
    spare = 2900 - 5 * 6 - 500 - 63
    for system, counted in (("y" * (spare - 2), []), ("y" * (spare - 1), ["y" * (spare - 1), "hi"])):
        turn = turn_of(system, history, [Said(EVENT, "hi")])
        assert len(MODEL.prompt(turn, "small")) == 4
        assert sorted(set(cast(Counting, turn.services.model).asked)) == sorted(counted)
