"""Logs as Lambda takes them: each record one line of JSON, what is counted in CloudWatch's embedded metric format."""

import json
import logging
import re
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from traceback import format_tb
from typing import Any, ClassVar

from botkit.errors import BotkitError

MOST_BYTES = 256 * 1024 - 26
"""What CloudWatch takes as one line, in bytes (CloudWatch Logs quotas: event size; 26 bytes go to its overhead)."""
LONGEST = 10_000
"""Characters that are left of a field where a line is longer than that."""
COUNTED = "botkit.metrics"
"""The logger of records that carry metrics: they are written whatever BOTKIT_LOG says."""

_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {
    *("message", "asctime", "taskName", "report", "metrics"),
    *("aws_request_id", "tenant_id", "_frame_type"),  # what Lambda's own handler puts into records
}
# Other programs may break lines at these, too; JSON itself escapes all those below U+0020.
_BREAKS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})
_LINE_ID = re.compile(r"[UCR][0-9a-f]{32}")  # LINE reference: Source user; Source group chat; …
_DEEPEST, _MOST_CAUSES = 30, 10
_strict = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str).encode


def start(level: int, namespace: str, own: Collection[str]) -> None:
    """Make JSON lines of all that is logged from now on, in this process; asked again, it begins anew.

    `own` are the loggers that speak from `level` on. All others do from WARNING on; where `level` is DEBUG,
    from INFO on and no lower, since there the SDKs write down what they send. `namespace` is that of the metrics;
    where it is empty, there are none.
    """
    root, lines = logging.getLogger(), JsonLines(namespace, level, own)
    root.setLevel(logging.INFO if level <= logging.DEBUG else logging.WARNING)
    for name in own:
        logging.getLogger(name).setLevel(level)
    logging.getLogger(COUNTED).setLevel(min(level, logging.INFO) if namespace else level)
    # Lambda's own handler knows how the platform tells one line from the next, so that is kept, and only its words
    # change. (awslambdaric: bootstrap.py, LambdaLoggerHandler.)
    handlers = [one for one in root.handlers if hasattr(one, "log_sink") or isinstance(one, _Stdout)]
    if not handlers:
        root.addHandler(_Stdout())
        handlers = root.handlers[-1:]
    for handler in handlers:
        handler.setFormatter(lines)


def begin(context: Any) -> None:
    """What is logged from now on belongs to this invocation: `context` is Lambda's, or None."""
    JsonLines.request_id = str(getattr(context, "aws_request_id", None) or "")


class _Stdout(logging.Handler):
    """Writes to what is stdout then; each line by one write, so that those of several threads do not mix."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record))
            sys.stdout.flush()
        except Exception:  # as every handler of the standard library: a log never breaks what it tells of
            self.handleError(record)


class JsonLines(logging.Formatter):
    """One record as one line of JSON, its end included. Never raises: Lambda's handler would let it through.

    What a record carries as `report` (a mapping) becomes fields of the line, and so does every further `extra` of
    a logger of ours. Its `metrics` (name → value and unit) become metrics of the line's `bot`. Ids of people
    and groups, and the words of exceptions that are not botkit's own, which may quote what somebody wrote, are
    shown at the level DEBUG only.
    """

    request_id: ClassVar[str] = ""
    """Lambda's id of the invocation. An instance of Lambda serves one at a time."""

    def __init__(self, namespace: str, level: int, own: Collection[str]) -> None:
        super().__init__()
        self._namespace = namespace
        self._tells_all = level <= logging.DEBUG
        self._is_brief = level > logging.INFO
        self._own = frozenset(own)

    def format(self, record: logging.LogRecord) -> str:
        """The line, ending in a line break."""
        try:
            line = _line(self._fields(record))
        except Exception as error:
            line = _line({**_head(record), "message": f"a log record that cannot be shown: {type(error).__name__}"})
        if not self._tells_all:
            line = _LINE_ID.sub("…", line)
        return f"{line}\n"

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {**_head(record), "message": record.getMessage()}
        if self.request_id:
            fields["request_id"] = self.request_id
        report, metrics = getattr(record, "report", None) or {}, getattr(record, "metrics", None)
        if metrics and self._is_brief and record.levelno < logging.WARNING:
            report = {"bot": report.get("bot", "")}
        for name, value in {**report, **self._extras(record)}.items():
            fields.setdefault(name, value)
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = told(record.exc_info[1], with_words=self._tells_all)
        if record.stack_info:
            fields["stack"] = record.stack_info
        if metrics and self._namespace:
            fields |= _embedded(metrics, self._namespace, int(record.created * 1000))
        return fields

    def _extras(self, record: logging.LogRecord) -> dict[str, Any]:
        if record.name.partition(".")[0] not in self._own:
            return {}
        return {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}


def told(error: BaseException, *, with_words: bool) -> str:
    """The traceback of an exception and of what it comes from, the cause first, each with its last frames."""
    chain: list[BaseException] = []
    next_one: BaseException | None = error
    while next_one is not None and next_one not in chain and len(chain) < _MOST_CAUSES:
        chain.append(next_one)
        next_one = next_one.__cause__ or (None if next_one.__suppress_context__ else next_one.__context__)
    parts = ["".join(format_tb(one.__traceback__, -_DEEPEST)) + _named(one, with_words) for one in reversed(chain)]
    return "\nand then:\n".join(parts)


def _named(error: BaseException, with_words: bool) -> str:
    name = type(error).__qualname__
    return f"{name}: {error}" if with_words or isinstance(error, BotkitError) else name


def _head(record: logging.LogRecord) -> dict[str, Any]:
    time = datetime.fromtimestamp(record.created, UTC)
    return {
        "time": f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z",
        "level": record.levelname,
        "logger": record.name,
    }


def _embedded(metrics: Mapping[str, tuple[float, str]], namespace: str, at: int) -> dict[str, Any]:
    """Metrics as CloudWatch reads them out of a line (CloudWatch: Specification: Embedded metric format)."""
    directive = {
        "Namespace": namespace,
        "Dimensions": [["bot"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
    }
    values = {name: value for name, (value, _) in metrics.items()}
    return {"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, **values}


# ---------------------------------------------------------------- JSON, whatever comes


def _line(fields: Mapping[str, Any]) -> str:
    line = _json(fields)
    return line if len(line) * 4 <= MOST_BYTES or len(line.encode()) <= MOST_BYTES else _json(_cut(fields))


def _json(fields: Mapping[str, Any]) -> str:
    try:
        text = _strict(fields)
    except Exception:  # whatever somebody's __str__ raises, and what JSON has no word for
        text = _strict({name: _encodable(value) for name, value in fields.items()})
    if text.isascii():
        return text
    # Half a surrogate pair is no character that could be written out.
    return text.encode("utf-8", "replace").decode().translate(_BREAKS)


def _encodable(value: object) -> object:
    """The value where JSON can hold it, else in words."""
    try:
        _strict(value)
    except Exception:
        return _words(value)
    return value


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _cut(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What fits a line: of each long field its beginning and its end, and of too many fields the first."""
    cut: dict[str, Any] = {}
    left = MOST_BYTES - 1000
    for name, value in fields.items():
        text = value if isinstance(value, str) else _strict(_encodable(value))
        if len(text) > LONGEST:
            half = LONGEST // 2
            value = f"{text[:half]} … {len(text) - LONGEST} characters left out … {text[-half:]}"
        left -= len(_json({name: value}).encode())
        if left < 0:
            return {**cut, "cut": True}
        cut[name] = value
    return cut
