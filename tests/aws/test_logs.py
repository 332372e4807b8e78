"""JSON lines: whatever is logged, and on whichever of Lambda's handlers, comes out as one line that CloudWatch reads."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.aws import logs
from botkit.errors import LineRefused, ModelError, StoreError
from tests.support.emf import metrics_of, read_line

ROOT = Path(__file__).parents[2]
USER, GROUP = "U" + "0123456789abcdef" * 2, "C" + "fedcba9876543210" * 2
LOG = logging.getLogger("botkit.test")
OTHER = logging.getLogger("elsewhere.test")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """What was logged since it was asked for last."""
    yield lambda: [read_line(text) for text in capsys.readouterr().out.splitlines()]
    LOG.setLevel(logging.NOTSET)
    logging.getLogger("botkit").setLevel(logging.NOTSET)


def start(level: int = logging.INFO) -> None:
    """As on Lambda, where nobody else listens: pytest's own handlers cannot take all that is logged here."""
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if isinstance(one.formatter, logs.JsonLines)]
    logs.start(level, "botkit/test", ("botkit",))


def test_a_record_is_a_line_with_time_level_logger_and_message(lines: Lines) -> None:
    start()
    LOG.warning("two\nlines of %s", "こんにちは")
    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {"level": "WARNING", "logger": "botkit.test", "message": "two\nlines of こんにちは"}


def test_the_time_is_utc_in_milliseconds(lines: Lines) -> None:
    start()
    record = LOG.makeRecord(LOG.name, logging.INFO, "", 0, "x", (), None)
    record.created = 1_700_000_000.0079
    LOG.handle(record)
    (line,) = lines()
    assert line["time"] == "2023-11-14T22:13:20.007Z"
    assert datetime.fromisoformat(line["time"]).utcoffset() is not None


def test_a_line_names_the_invocation(lines: Lines) -> None:
    start()
    logs.begin(type("Context", (), {"aws_request_id": "id-1"}))
    LOG.info("in it")
    logs.begin(None)
    LOG.info("outside")
    inside, outside = lines()
    assert inside["request_id"] == "id-1"
    assert "request_id" not in outside


def test_started_again_it_still_says_everything_once(lines: Lines) -> None:
    start()
    start()
    LOG.info("once")
    assert len(lines()) == 1


LEVELS = {
    logging.DEBUG: ["own debug", "own info", "own warning", "their info", "their warning"],
    logging.INFO: ["own info", "own warning", "their warning"],
    logging.WARNING: ["own warning", "their warning"],
}


@pytest.mark.parametrize("level", LEVELS)
def test_ours_speak_from_the_level_on_and_others_when_they_warn(lines: Lines, level: int) -> None:
    start(level)
    for log, whose in ((LOG, "own"), (OTHER, "their")):
        for one in (logging.DEBUG, logging.INFO, logging.WARNING):
            log.log(one, "%s %s", whose, logging.getLevelName(one).lower())
    assert [line["message"] for line in lines()] == LEVELS[level]


# ---------------------------------------------------------------- exceptions


def fail(error: Exception, cause: Exception | None = None) -> None:
    try:
        raise error from cause
    except type(error):
        LOG.exception("failed")


def test_a_traceback_is_one_field_that_shows_the_code_and_the_kind(lines: Lines) -> None:
    start()
    fail(KeyError("what Hana said"))
    (line,) = lines()
    assert "in fail\n    raise error from cause" in line["exception"]
    assert line["exception"].endswith("KeyError")
    assert "Hana" not in json.dumps(line)


def test_the_words_of_botkits_own_errors_are_shown(lines: Lines) -> None:
    start()
    fail(StoreError("the table is gone"), ValueError("what Hana said"))
    (line,) = lines()
    assert line["exception"].endswith("StoreError: the table is gone")
    assert "ValueError\nand then:\n" in line["exception"]
    assert "Hana" not in json.dumps(line)


def test_all_words_are_shown_to_who_asks_for_debug(lines: Lines) -> None:
    start(logging.DEBUG)
    fail(StoreError("the table is gone"), ValueError(f"what {USER} said"))
    (line,) = lines()
    assert f"ValueError: what {USER} said\nand then:\n" in line["exception"]


def test_a_chain_that_is_long_or_goes_in_circles_comes_to_an_end(lines: Lines) -> None:
    start()
    first, second = ModelError("one"), LineRefused(400, "two")
    first.__cause__, second.__cause__ = second, first
    fail(first, second)

    def deep(depth: int) -> None:
        if depth:
            deep(depth - 1)
        raise ValueError(depth)

    try:
        deep(500)
    except ValueError:
        LOG.exception("deep")
    circle, deep_one = lines()
    assert circle["exception"].count("and then:") == 1
    assert len(deep_one["exception"]) < 10_000


# ---------------------------------------------------------------- hostile records


class Stubborn:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def circular() -> list[Any]:
    one: list[Any] = []
    one.append(one)
    return one


def nested(depth: int) -> list[Any]:
    one: list[Any] = []
    for _ in range(depth):
        one = [one]
    return one


HOSTILE = {
    "nan": float("nan"),
    "infinite": [1, {"a": float("-inf")}],
    "set": {1},
    "bytes": b"\xff",
    "stubborn": Stubborn(),
    "a stubborn one inside": [Stubborn()],
    "circular": circular(),
    "deep": nested(100_000),
    "keys": {(1, 2): 3, None: 4},
    "half a pair": "\ud800",
    "a key of half a pair": {"\udfff": 1},
    "line breaks": "a\r\nb\x85c\u2028d\u2029e\x0b\x0c\x1c",
    "huge": "x" * 1_000_000,
    "huge list": list(range(500_000)),
    "controls": "\x00" * 300_000,
    "four bytes": "😀" * 200_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_record_carries_it_is_one_line(lines: Lines, value: object) -> None:
    start()
    LOG.info("fine", extra={"carried": value})
    LOG.info("in %s", value)
    carried, *_ = lines()
    assert carried["message"] == "fine"
    assert "carried" in carried


def test_a_message_that_does_not_fit_its_arguments_is_told_of(lines: Lines) -> None:
    start()
    LOG.error("%d of %d", "one")
    (line,) = lines()
    assert (line["level"], line["message"]) == ("ERROR", "a log record that cannot be shown: TypeError")


def test_of_a_long_line_beginning_and_end_are_left(lines: Lines) -> None:
    start()
    LOG.info("begin%send", "x" * 300_000, extra={"short": "kept"})
    (line,) = lines()
    assert line["message"].startswith("beginx")
    assert line["message"].endswith("xend")
    assert "290008 characters left out" in line["message"]
    assert line["short"] == "kept"


def test_of_too_many_fields_the_first_are_left(lines: Lines) -> None:
    start()
    LOG.info("many", extra={f"field{n}": "x" * 9_000 for n in range(100)})
    (line,) = lines()
    assert line["cut"] is True
    assert line["field0"] == "x" * 9_000


def test_extras_of_ours_are_fields_but_change_none_and_those_of_others_are_left_out(lines: Lines) -> None:
    start()
    LOG.info("ours", extra={"level": "none", "count": 3})
    OTHER.warning("theirs", extra={"count": 3})
    ours, theirs = lines()
    assert (ours["level"], ours["count"]) == ("INFO", 3)
    assert "count" not in theirs


texts = st.text(st.characters(), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(texts, values, texts)
def test_any_text_and_any_extra_is_one_line(text: str, value: Any, name: str) -> None:
    record = logging.makeLogRecord({"name": "botkit.x", "msg": text, f"x{name}": value, "report": {"bot": name}})
    line = logs.JsonLines("botkit", logging.INFO, ("botkit",)).format(record)
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    line.encode()  # Lambda's handler does
    assert read_line(line)["message"] == text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("name", ["botkit.line", "urllib3.connectionpool"])
def test_no_line_names_a_person_or_a_group(lines: Lines, name: str) -> None:
    start()
    where = f"user:{USER} of group:{GROUP}:{USER} at /v2/bot/profile/{USER}?x"
    logging.getLogger(name).warning("who? %s", where, extra={"who": USER})
    (line,) = lines()
    assert line["message"] == "who? user:… of group:…:… at /v2/bot/profile/…?x"
    assert USER not in json.dumps(line)


# ---------------------------------------------------------------- metrics

COUNTED = logging.getLogger(logs.COUNTED)
TURN = {"report": {"bot": "kind", "event": "E1"}, "metrics": {"Turn": (12, "Milliseconds"), "Cost": (1e-06, "None")}}


def test_what_is_counted_is_a_metric_of_the_bot(lines: Lines) -> None:
    start()
    COUNTED.info("told", extra=TURN)
    (line,) = lines()
    assert metrics_of(line) == {"Turn": 12, "Cost": 1e-06}
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "botkit/test",
        "Dimensions": [["bot"]],
        "Metrics": [{"Name": "Turn", "Unit": "Milliseconds"}, {"Name": "Cost", "Unit": "None"}],
    }
    assert (line["bot"], line["event"], line["message"]) == ("kind", "E1", "told")


def test_with_less_said_metrics_stay_and_the_rest_goes(lines: Lines) -> None:
    start(logging.WARNING)
    COUNTED.info("told", extra=TURN)
    logging.getLogger("botkit.delivery.metrics").info("silent", extra={"report": {"bot": "kind"}, "metrics": {}})
    (line,) = lines()
    assert metrics_of(line) == {"Turn": 12, "Cost": 1e-06}
    assert "event" not in line


# ---------------------------------------------------------------- on Lambda's own handlers

LAMBDA = """
import json, logging, os, sys
from awslambdaric import bootstrap
sys.stdout = bootstrap.Unbuffered(sys.stdout)
with bootstrap.create_log_sink() as sink:
    bootstrap._setup_logging(bootstrap._AWS_LAMBDA_LOG_FORMAT, bootstrap._AWS_LAMBDA_LOG_LEVEL, sink)
    from botkit.aws import logs
    logs.start(logging.INFO, "botkit", ("botkit",))
    logs.begin(type("Context", (), {"aws_request_id": "id-1"}))
    logging.getLogger("botkit.x").info("one\\ntwo こ %s", chr(0xd800))
    logging.getLogger("botocore").info("not said")
    logging.getLogger("botocore").warning("said")
    logging.getLogger("botkit.metrics").info("m", extra={"report": {"bot": "b"}, "metrics": {"Reply": (1, "Count")}})
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("botkit.x").exception("failed")
"""


def logged(text_frames: bool, **environ: str) -> list[str]:
    """What a process on Lambda's runtime logs: its events, as the platform cuts them."""
    reader, writer = os.pipe()
    if text_frames:
        environ["_LAMBDA_TELEMETRY_LOG_FD"] = str(writer)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "en_US.UTF-8", **environ}
    try:
        ran = subprocess.run(
            [sys.executable, "-c", LAMBDA], capture_output=True, env=environ, pass_fds=[writer], check=True, cwd=ROOT
        )
    finally:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            frames = pipe.read()
    assert ran.stderr == b""
    if not text_frames:
        return ran.stdout.decode().splitlines()
    assert ran.stdout == b""
    return list(unframed(frames))


def unframed(frames: bytes) -> Iterator[str]:
    """The messages of awslambdaric's frames: 4 bytes of type, 4 of length, 8 of time, and the text."""
    while frames:
        length = int.from_bytes(frames[4:8], "big")
        yield frames[16 : 16 + length].decode()
        frames = frames[16 + length :]


SETTINGS = {
    "stdout": (False, {}),
    "frames": (True, {}),
    "frames in Lambda's JSON format": (True, {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}),
}


@pytest.mark.parametrize(("frames", "environ"), SETTINGS.values(), ids=SETTINGS)
def test_on_lambdas_own_handler_each_record_is_one_event(frames: bool, environ: dict[str, str]) -> None:
    events = [read_line(event) for event in logged(frames, **environ)]
    assert [event["message"] for event in events] == ["one\ntwo こ ?", "said", "m", "failed"]
    assert {event["request_id"] for event in events} == {"id-1"}
    assert metrics_of(events[2]) == {"Reply": 1}
    assert events[3]["exception"].endswith("ZeroDivisionError")
