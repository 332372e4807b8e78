"""What LINE repeats of a call in an error is left out, and what LINE says itself is left in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.line.echoes import RUN, without_echoes

SENT = {"to": "U" + "a1" * 16, "messages": [{"type": "text", "text": "Where is\nmy parcel?"}, {"text": "hunter2"}]}
ERRORS = {
    "Invalid reply token": "Invalid reply token",
    "The request body has 1 error(s) messages[0].text: May not be empty": None,
    "The value 'Where is my parcel?' is bad": "The value '…' is bad",
    "The value 'is my parcel' is bad": "The value '…' is bad",
    "hunter2 is no text": "… is no text",
    "hunter22 is no text": None,
    f"no user {SENT['to']}": "no user …",
    "messages[0].text: 荷物 is bad": "messages[0].text: … is bad",
    "a\x00b\x1b[31mc": "a…b…[31mc",
    "": "",
}


@pytest.mark.parametrize(("error", "shown"), ERRORS.items())
def test_what_was_sent_is_left_out_of_an_error(error: str, shown: str | None) -> None:
    assert without_echoes(error, SENT) == (error if shown is None else shown)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=RUN, max_size=40), st.integers(0, 30))
def test_no_stretch_of_what_was_sent_comes_back(said: str, start: int) -> None:
    shown = without_echoes(f"bad: {said[start:]} at {said}", [{"text": said}])
    one_line = " ".join(said.split())
    runs = [one_line[at : at + RUN] for at in range(len(one_line) - RUN + 1)]
    assert [run for run in runs if run in shown] == []
