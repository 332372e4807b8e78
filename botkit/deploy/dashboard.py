"""The dashboard: what the bots do, and how the machine is, in CloudWatch.

Its size does not depend on the number of bots: all of them are in the graphs above, and one at a time, chosen at the
top, in those below. (CloudWatch API reference: Dashboard Body Structure and Syntax.)
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

Widget = dict[str, Any]
Metric = list[Any]

_OWN: Final = "botkit/${AWS::StackName}"
_DAY: Final = 86400
_WAYS: Final = ("Reply", "Button", "Push", "Kept", "Dropped", "Lost", "Failed", "Ambiguous")
_TROUBLES: Final = ("Failed", "Lost", "Ambiguous")
_LATENCIES: Final = ("Turn", "ModelLatency")
_TOKEN_LIFE: Final = {"horizontal": [{"label": "the reply token is dead", "value": 60_000}]}


def dashboard(bots: Iterable[str]) -> dict[str, Any]:
    """The resource, for these bots, at least one."""
    names = sorted(bots)
    rows = [*_all_bots(), *_one_bot(names[0]), *_machine()]
    body = {
        "start": "-P1D",
        "periodOverride": "inherit",  # a day's cost is a day's, whatever time is shown
        "variables": [_chosen(names)],
        "widgets": _placed(rows),
    }
    return {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {
            # Dashboards belong to the account, not to a region.
            "DashboardName": {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"},
            "DashboardBody": {"Fn::Sub": json.dumps(body, ensure_ascii=False, separators=(",", ":"))},
        },
    }


def _chosen(names: Sequence[str]) -> dict[str, Any]:
    """The choice of a bot: its name takes the place of the first one's in every metric that has a dimension `bot`."""
    return {
        "type": "property",
        "property": "bot",
        "id": "bot",
        "label": "Bot",
        "inputType": "select",
        "defaultValue": names[0],
        "visible": True,
        "values": [{"value": name, "label": name} for name in names],
    }


def _all_bots() -> list[list[Widget]]:
    return [
        [_text("## All bots")],
        [
            _graph("Answered, by bot", [_search("Turn", "SampleCount")]),
            _graph("Failed, lost or in doubt, by bot", [_search(one, "Sum") for one in _TROUBLES]),
        ],
        [
            _graph("From webhook to reply, p95, ms", [_search("ReplyWindow", "p95")], annotations=_TOKEN_LIFE),
            _graph("Cost per day, USD", [_search("Cost", "Sum", _DAY)], period=_DAY, view="bar"),
        ],
    ]


def _one_bot(bot: str) -> list[list[Widget]]:
    def own(name: str, **options: Any) -> Metric:
        return [_OWN, name, "bot", bot, options]

    both = [own(name, stat=stat, label=f"{name} {stat}") for name in _LATENCIES for stat in ("p50", "p95")]
    window = [own("ReplyWindow", stat=stat, label=stat) for stat in ("p50", "p95")]
    return [
        [_text("## The bot chosen above")],
        [
            _graph("Answers by way", [own(way) for way in _WAYS], stacked=True),
            _graph("From webhook to reply, ms", window, annotations=_TOKEN_LIFE),
        ],
        [
            _graph("A turn, and the model's part, ms", both),
            _graph("Tokens", [own("InputTokens"), own("OutputTokens")], stacked=True),
        ],
        [
            _graph("Cost per day, USD", [own("Cost")], period=_DAY, view="bar"),
            _graph("Notices with a button, and waits for another worker", [own("Notice"), own("LeaseWait")]),
        ],
    ]


def _machine() -> list[list[Widget]]:
    def queue(name: str, which: str = "Queue", **options: Any) -> Metric:
        return ["AWS/SQS", name, "QueueName", f"${{{which}.QueueName}}", {"stat": "Maximum", **options}]

    def functions(name: str, stat: str) -> list[Metric]:
        return [["AWS/Lambda", name, "FunctionName", f"${{{one}}}", {"stat": stat, "label": one}] for one in _FUNCTIONS]

    def api(name: str, **options: Any) -> Metric:
        return ["AWS/ApiGateway", name, "ApiId", "${Api}", options]

    waiting, hidden = "ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"
    failed = queue(waiting, "DeadLetters", label="failed five times")
    return [
        [_text("## The machine")],
        [
            _graph("Wake-ups", [queue(waiting, label="waiting"), queue(hidden, label="at work"), failed]),
            _graph("Oldest wake-up, s", [queue("ApproximateAgeOfOldestMessage", label="age")]),
        ],
        [
            _graph("Webhooks", [api("Count", label="all"), api("4xx"), api("5xx")]),
            _graph("Webhooks, p95, ms", [api("Latency", stat="p95", label="p95")]),
        ],
        [
            _graph("Functions: errors", functions("Errors", "Sum"), width=6),
            _graph("Throttles", functions("Throttles", "Sum"), width=6),
            _graph("Duration, p95, ms", functions("Duration", "p95"), width=6),
            _graph("At once", functions("ConcurrentExecutions", "Maximum"), width=6),
        ],
    ]


_FUNCTIONS: Final = ("Door", "Worker")


def _search(name: str, stat: str, period: int = 300) -> Metric:
    """A metric of every bot. What is found by a name is found by its beginning, too, so the name is quoted."""
    expression = f'SEARCH(\'{{"{_OWN}","bot"}} MetricName="{name}"\', \'{stat}\', {period})'
    return [{"expression": expression, "id": name.lower()}]


def _graph(title: str, metrics: Sequence[Metric], *, width: int = 12, period: int = 300, **options: Any) -> Widget:
    properties = {"title": title, "metrics": metrics, "region": "${AWS::Region}", "period": period, "stat": "Sum"}
    return {
        "type": "metric",
        "width": width,
        "height": 6,
        "properties": {**properties, "view": "timeSeries", **options},
    }


def _text(markdown: str) -> Widget:
    return {"type": "text", "width": 24, "height": 1, "properties": {"markdown": markdown}}


def _placed(rows: Sequence[Sequence[Widget]]) -> list[Widget]:
    placed: list[Widget] = []
    y = 0
    for row in rows:
        x = 0
        for widget in row:
            placed.append({**widget, "x": x, "y": y})
            x += widget["width"]
        y += row[0]["height"]
    return placed
