"""The house has a plan: imports run one way, and a start that only takes a webhook in loads no SDK it does not use."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.aws import CREDENTIALS

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "botkit").rglob("*.py"))
}

CORE = ["botkit.errors", "botkit.messages", "botkit.ports"]
ADAPTERS = ["botkit.line", "botkit.stores", "botkit.models", "botkit.aws"]
OUTWARD = [*CORE, "botkit.threads", "botkit.wire"]

# Room → the rooms it may import from, besides itself. The longest matching name holds.
MAY_IMPORT = {
    "botkit": ["botkit.errors", "botkit.messages", "botkit.pipeline", "botkit.turn"],
    "botkit.demand": [],
    "botkit.threads": [],
    "botkit.errors": [],
    "botkit.messages": [],
    "botkit.ports": ["botkit.errors", "botkit.messages"],
    "botkit.turn": CORE,
    "botkit.usage": CORE,
    "botkit.pipeline": [*CORE, "botkit.turn"],
    "botkit.wire": CORE,
    **dict.fromkeys(ADAPTERS, OUTWARD),
    "botkit.spec.values": ["botkit.aws.references"],
    # The pure modules of these rooms are vocabulary, not adapters.
    "botkit.steps": [
        *CORE,
        "botkit.turn",
        "botkit.usage",
        "botkit.pipeline",
        "botkit.spec.values",
        "botkit.line.text",
        "botkit.models.known",
    ],
    "botkit.spec": [*CORE, "botkit.demand", "botkit.turn", "botkit.pipeline", "botkit.steps"],
    "botkit.delivery": [
        *CORE,
        "botkit.turn",
        "botkit.usage",
        "botkit.pipeline",
        "botkit.steps",
        "botkit.spec",
        "botkit.line.signature",
        "botkit.line.events",
        "botkit.line.bodies",
        "botkit.line.text",
    ],
    "botkit.wiring": [*CORE, *ADAPTERS, "botkit.demand", "botkit.threads"],
    "botkit.coldstart": [*CORE, "botkit.demand", "botkit.spec", "botkit.delivery"],
    "botkit.runtime": [
        *CORE,
        *("botkit.aws", "botkit.demand", "botkit.spec", "botkit.delivery", "botkit.coldstart", "botkit.wiring"),
    ],
    "botkit.testing": CORE,
    "botkit.simulator": [*CORE, "botkit.line"],
    "botkit.simulator.playground": [
        *CORE,
        *ADAPTERS,
        "botkit.turn",
        "botkit.pipeline",
        "botkit.steps",
        "botkit.spec",
        "botkit.delivery.conversations",
        "botkit.runtime",
        "botkit.threads",
        "botkit.wiring",
        "botkit.simulator",
    ],
    "botkit.simulator.page": [*CORE, "botkit.spec", "botkit.steps", "botkit.simulator"],
    "botkit.scenarios": [
        *CORE,
        *ADAPTERS,
        "botkit.turn",
        "botkit.usage",
        "botkit.pipeline",
        "botkit.steps",
        "botkit.spec",
        "botkit.delivery.conversations",
        "botkit.delivery.answering",
        "botkit.runtime",
        "botkit.threads",
        "botkit.wiring",
        "botkit.testing",
        "botkit.simulator",
    ],
    "botkit.deploy": [
        *CORE,
        "botkit.aws",
        "botkit.models",
        "botkit.pipeline",
        "botkit.spec",
        "botkit.steps",
        "botkit.stores",
        "botkit.usage",
    ],
    "botkit.cli": ["botkit"],
    # It loads the rest of botkit where there is something to play.
    "botkit.pytest_plugin": [],
    "botkit.__main__": ["botkit.cli"],
}

SDKS = {
    *("openai", "linebot", "boto3", "botocore", "tiktoken", "urllib3", "httpx2", "certifi"),
    *("starlette", "uvicorn", "rich", "markdown_it", "dotenv"),
}
MAY_USE_SDKS = (
    *("botkit.line", "botkit.stores", "botkit.models", "botkit.aws", "botkit.wire"),
    *("botkit.simulator", "botkit.deploy", "botkit.cli"),
)


def imports_of(path: Path) -> set[str]:
    """Every module named by an import statement of the file, wherever it stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            # `from botkit.spec import document` names a module; `from botkit.turn import Turn` does not.
            names |= {
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in MODULES else node.module
                for alias in node.names
            }
    return names


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if within(module, room)), key=len)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_the_rooms_before_its_own(module: str) -> None:
    room = room_of(module)
    assert room != "botkit" or module == "botkit", f"{module} has no place in the plan"
    allowed = [room, *MAY_IMPORT[room]]
    forbidden = {
        name
        for name in imports_of(MODULES[module])
        if within(name, "botkit")
        and not any((name == "botkit" and room == "botkit") or within(name, one) for one in allowed)
    }
    assert not forbidden


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith(MAY_USE_SDKS)])
def test_only_the_adapters_import_an_sdk(module: str) -> None:
    assert not {name.partition(".")[0] for name in imports_of(MODULES[module])} & SDKS


def test_imports_have_no_cycle() -> None:
    graph = {module: imports_of(path) & MODULES.keys() for module, path in MODULES.items()}
    while leaves := [module for module, names in graph.items() if not names]:
        for leaf in leaves:
            del graph[leaf]
        graph = {module: names - set(leaves) for module, names in graph.items()}
    assert not graph, f"these import one another: {sorted(graph)}"


def loaded_by(code: str, **environ: str) -> set[str]:
    """The top-level and second-level modules a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environ, check=True
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_botkit_loads_no_sdk() -> None:
    assert not loaded_by("import botkit") & SDKS


def test_the_shapes_of_lambda_events_load_no_sdk() -> None:
    loaded = loaded_by("import botkit.aws.http, botkit.aws.batch, botkit.aws.queue_url")
    assert "botkit.aws.batch" in loaded
    assert not loaded & SDKS


TAKE_A_WEBHOOK = """
import base64, hmac, json, sys, time
from pathlib import Path
sys.path.insert(0, ".")
from botkit.runtime import Runtime
runtime = Runtime.start(Path("."))
event = {"type": "message", "mode": "standby", "webhookEventId": "E1", "timestamp": int(time.time() * 1000),
    "source": {"type": "user", "userId": "U1"}, "message": {"type": "text", "id": "1", "text": "hi"}}
body = json.dumps({"destination": "U", "events": [event]})
signature = base64.b64encode(hmac.digest(b"s", body.encode(), "sha256")).decode()
answer = runtime({"requestContext": {"http": {"method": "POST"}}, "rawPath": "/line/concierge",
    "headers": {"x-line-signature": signature}, "body": body, "isBase64Encoded": False}, None)
assert answer["statusCode"] == 200, answer
"""


def test_the_door_loads_no_sdk_but_that_of_http(dynamodb_table: str, aws_endpoint: str) -> None:
    settings = {"CONCIERGE_CHANNEL_SECRET": "s", "CONCIERGE_CHANNEL_TOKEN": "t", **CREDENTIALS}
    loaded = loaded_by(
        TAKE_A_WEBHOOK, BOTKIT_STORE=f"dynamodb://{dynamodb_table}", AWS_ENDPOINT_URL_DYNAMODB=aws_endpoint, **settings
    )
    assert "botkit.stores.dynamodb" in loaded
    assert not loaded & {
        "openai",
        "linebot",
        "tiktoken",
        "markdown_it",
        "requests",
        "rich",
        "starlette",
        "boto3",
        "botocore.session",
        "botocore.client",
        "botkit.models.openai",
    }
