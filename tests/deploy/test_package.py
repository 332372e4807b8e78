"""The package: what is in it, that it runs with nothing else around it, and that it is the same whenever it is made."""

import json
import os
import shutil
import struct
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session

from botkit.cli.main import main
from botkit.deploy import archive, wheels
from botkit.deploy.bots import check
from botkit.deploy.package import HANDLER, Package, Target, default_python
from botkit.deploy.prune import prune
from botkit.errors import DeployError, SpecError
from botkit.simulator.app import create_app
from botkit.simulator.platform import Platform
from botkit.simulator.server import serving
from botkit.spec.loader import load_file
from botkit.stores.dynamodb import create_table
from botkit.testing import MovableClock
from tests.support.aws import CREDENTIALS, poll
from tests.support.openai_server import openai_server
from tests.support.package import build_for, dependencies, target, unpack_for
from tests.support.shapes import http_api

ROOT = Path(__file__).parents[2]
KIND = """\
extends: _house.yaml
persona: {file: personas/kind.j2}
timezone: Asia/Tokyo
line: {channel_secret: ssm:/kind/secret, channel_access_token: "secretsmanager:kind#token"}
reply: {markdown: flex}
pipeline: [reply, groups, events, commands, limits, {use: bots.steps.own:Own}, media, history, persona, model]
"""
OWN = """\
import os

from botkit import Step

if "BROKEN" in os.environ:
    raise ImportError("no module named rooms")


class Own(Step):
    def __call__(self, turn, call_next):
        return call_next(turn)
"""
FILES = {
    "kind.yaml": KIND,
    "_house.yaml": "model: {name: gpt-4.1-mini, temperature: 0.5}\nhistory: {window: 4, max_tokens: 500}\n",
    "personas/kind.j2": "You are kind. {{ today }}\n",
    "steps/own.py": OWN,
    "data/日本.csv": "a,b\n",
    # What stays here:
    "kind.test.yaml": "[]\n",
    "kind.test.json": "{}\n",
    ".env": "SECRET=x\n",
    "live.env": "SECRET=x\n",
    "live.env.bak": "SECRET=x\n",
    "steps/pip.conf": "[global]\n",
    "requirements-base.in": "six\n",
    "channel.pem": "-----\n",
    "shop.yaml~": "persona: hi\n",
    ".hidden/x.txt": "x\n",
    "steps/__pycache__/own.cpython-311.pyc": "x\n",
    "requirements.txt": "",
}
PACKAGED = ["_house.yaml", "data/日本.csv", "kind.yaml", "personas/kind.j2", "steps/own.py"]


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def bots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("home") / "bots", FILES)


@pytest.fixture(scope="module")
def package(bots: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build_for(bots, tmp_path_factory.mktemp("package") / "botkit.zip")


@pytest.fixture(scope="module")
def task(bots: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as Lambda unpacks it."""
    return unpack_for(bots, tmp_path_factory.mktemp("task"))


# ---------------------------------------------------------------- it runs alone

RUN = """
import json, sys
sys.path.insert(0, ".")
import handler
answers = [handler.handler(json.loads(line), None) for line in sys.stdin]
from zoneinfo import ZoneInfo
print(json.dumps([answers, sorted(sys.modules), ZoneInfo("Pacific/Apia").key]))
"""


@dataclass(frozen=True)
class Ran:
    answers: list[Any]
    modules: set[str]
    log: str


def run_alone(task: Path, environ: Mapping[str, str], *events: object) -> Ran:
    """Run the package in a process that has Python's own library and this folder, and no zones of the system."""
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN],
        input="\n".join(map(json.dumps, events)),
        env={"AWS_LAMBDA_FUNCTION_NAME": "alone", "PYTHONTZPATH": "", **CREDENTIALS, **environ},
        cwd=task,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    *log, last = result.stdout.splitlines()
    answers, modules, _ = json.loads(last)
    return Ran(answers, set(modules), "\n".join([*log, result.stderr]))


@dataclass(frozen=True)
class Surroundings:
    platform: Platform
    environ: Mapping[str, str]
    queue: str


@pytest.fixture(scope="module")
def surroundings(aws_endpoint: str, dynamodb_client: Any, sqs_client: Any) -> Iterator[Surroundings]:
    """LINE, a model, and AWS with the bot's secrets in it."""
    name = f"botkit-{uuid.uuid4().hex[:8]}"
    create_table(name, dynamodb_client)
    queue = sqs_client.create_queue(QueueName=name)["QueueUrl"]
    platform = Platform(MovableClock(tick=1))
    account = platform.add_account("kind")
    ssm, secrets = (
        get_session().create_client(
            service,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            endpoint_url=aws_endpoint,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        for service in ("ssm", "secretsmanager")
    )
    ssm.put_parameter(Name="/kind/secret", Value=account.channel_secret, Type="SecureString", Overwrite=True)
    secrets.create_secret(Name="kind", SecretString=json.dumps({"token": account.access_token}))
    with serving(create_app(platform)) as line, openai_server() as model:
        model.say("# Rooms\n\n- **one**\n- two")
        environ = {
            "AWS_ENDPOINT_URL": aws_endpoint,
            "BOTKIT_STORE": f"dynamodb://{name}",
            "BOTKIT_QUEUE": queue,
            "BOTKIT_LINE_URL": line,
            "OPENAI_API_KEY": model.key,
            "OPENAI_BASE_URL": model.url,
        }
        yield Surroundings(platform, environ, queue)
    for one in (ssm, secrets):
        one.close()


def test_door_and_worker_run_with_nothing_but_the_package(
    task: Path, surroundings: Surroundings, sqs_client: Any
) -> None:
    platform = surroundings.platform
    (account,) = platform.accounts.values()
    hana = platform.add_person("Hana")
    said = platform.say(account, hana, "which rooms have you?")
    door = run_alone(
        task, surroundings.environ, http_api("POST", "/line/kind", said.headers, said.body, is_base64=False)
    )
    assert door.answers[0]["statusCode"] == 200, door.log
    assert not door.modules & {"yaml", "openai", "tiktoken", "markdown_it", "botkit.spec.parser"}

    worker = run_alone(task, surroundings.environ, poll(sqs_client, surroundings.queue), {"botkit": "sweep"})
    assert worker.answers == [{"batchItemFailures": []}, {"swept": 0}], worker.log
    assert worker.modules > {"openai", "markdown_it", "tzdata", "bots.steps.own"}
    assert not worker.modules & {"yaml", "tiktoken"}
    (answer,) = platform.chat(account, hana).answers
    assert answer.via == "reply"
    assert "Rooms" in answer.text


def test_a_step_that_cannot_be_imported_there_is_told_as_here(
    task: Path, bots: Path, surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = http_api("POST", "/line/kind", {"x-line-signature": "x"}, b"{}", is_base64=False)
    ran = run_alone(task, {**surroundings.environ, "BROKEN": "1"}, event)
    assert ran.answers[0]["statusCode"] == 503
    monkeypatch.setenv("BROKEN", "1")
    monkeypatch.chdir(bots.parent)
    for module in [name for name in sys.modules if name.partition(".")[0] == "bots"]:
        monkeypatch.delitem(sys.modules, module)
    spec, (problem,) = load_file(Path("bots/kind.yaml").absolute())
    assert spec is None
    assert problem.line == 6
    assert json.dumps(str(problem), ensure_ascii=False)[1:-1] in ran.log
    assert "yaml" not in ran.modules


# ---------------------------------------------------------------- what is in it


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(package.path) as opened:
        return opened.namelist()


def test_the_bots_are_in_it_without_what_is_not_theirs(package: Package) -> None:
    inside = [name.removeprefix("bots/") for name in names(package) if name.startswith("bots/")]
    assert [name for name in inside if not name.endswith(".pyc")] == PACKAGED
    assert "handler.py" in names(package)
    assert "botkit/compiled/kind.json" in names(package)


def test_what_a_lambda_never_loads_is_not_in_it(package: Package) -> None:
    inside = names(package)
    rooms = {name.split("/")[1] for name in inside if name.startswith("botkit/")}
    assert rooms.isdisjoint({"cli", "simulator", "deploy", "scenarios", "testing.py", "__main__.py"})
    tops = {name.partition("/")[0] for name in inside}
    assert tops.isdisjoint({"boto3", "s3transfer", "awslambdaric", "bin", "rich", "uv", "linebot", "pytest"})
    services = {name.split("/")[2] for name in inside if name.startswith("botocore/data/")}
    assert {one for one in services if "." not in one} == {"dynamodb", "sqs", "ssm", "secretsmanager"}
    assert not [name for name in inside if name.endswith((".pyi", ".h", "RECORD", "direct_url.json", "py.typed"))]


def test_every_module_is_compiled_for_ever(package: Package) -> None:
    with zipfile.ZipFile(package.path) as opened:
        sources = {name for name in opened.namelist() if name.endswith(".py")}
        compiled = [name for name in opened.namelist() if name.endswith(".pyc")]
        flags = {struct.unpack("<I", opened.read(name)[4:8])[0] for name in compiled}
        own = next(name for name in compiled if name.startswith("bots/steps/__pycache__/own."))
        assert b"/var/task/bots/steps/own.py" in opened.read(own)
        assert not [name for name in compiled if str(dependencies().folder).encode() in opened.read(name)]
    assert len(compiled) == len(sources)
    assert flags == {1}  # by hash, and never looked at (PEP 552)


def test_the_manifest_says_what_is_in_it(package: Package) -> None:
    with zipfile.ZipFile(package.path) as opened:
        manifest = json.loads(opened.read("botkit.json"))
    assert manifest["python"] == target().python
    assert list(manifest["bots"]) == PACKAGED
    assert manifest["packages"]["openai"] == version("openai")


def test_it_is_as_small_as_it_has_to_be(package: Package) -> None:
    assert package.zipped + 22 == package.path.stat().st_size < 25_000_000
    assert package.unzipped < 90_000_000
    with zipfile.ZipFile(package.path) as opened:
        assert package.unzipped == sum(one.file_size for one in opened.infolist())
        assert package.files == len(opened.infolist())


def test_the_handler_of_who_has_none_is_our_own() -> None:
    assert (ROOT / "handler.py").read_text("utf-8") == HANDLER


# ---------------------------------------------------------------- the same again


def test_it_is_the_same_from_other_circumstances(package: Package, bots: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "another" / "place"
    shutil.copytree(bots, elsewhere / "bots", copy_function=shutil.copyfile)  # with the time of now
    for path in (elsewhere / "bots").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    code = """
import os, sys
os.umask(0o077)
from pathlib import Path
from tests.support.package import build_for
print(build_for(Path("bots"), Path("another.zip")).sha256)
"""
    environ = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    again = subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environ, capture_output=True, text=True, check=False
    )
    assert again.stdout.strip() == package.sha256, again.stderr
    assert (elsewhere / "another.zip").read_bytes() == package.path.read_bytes()


def test_times_and_modes_are_nobodys(package: Package) -> None:
    with zipfile.ZipFile(package.path) as opened:
        entries = opened.infolist()
    assert {(one.date_time, one.external_attr >> 16, one.create_system) for one in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, 3)
    }
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)


def test_a_zip_that_cannot_be_finished_leaves_the_older_one(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    files = archive.files_of(write(tmp_path / "in", {"a": "a", "b": "b"}))
    output = write(tmp_path, {"botkit.zip": "older"}) / "botkit.zip"

    def full(number: int) -> None:
        if number == 2:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        archive.write(files, output, full)
    assert output.read_text("utf-8") == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["botkit.zip", "in"]


# ---------------------------------------------------------------- the command


def package_in(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("BOTKIT_BOTS", raising=False)
    return main(["package", *arguments])


HELLO = {"bots/hello.yaml": "persona: hi\nmodel: gpt-4.1-mini\n"}


def test_the_command_makes_both_and_tells_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, HELLO)
    assert package_in(tmp_path, monkeypatch, "--json", "--python", "3.12", "--arm") == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert told.err == ""
    assert (facts["path"], facts["python"], facts["architecture"]) == ("botkit.zip", "3.12", "arm64")
    assert facts["sha256"] == archive.sha256_of(tmp_path / "botkit.zip")
    assert {part["name"] for part in facts["parts"]} > {"botkit", "bots", "openai", "pydantic_core", "tiktoken"}
    with zipfile.ZipFile(tmp_path / "botkit.zip") as opened:
        libraries = [name for name in opened.namelist() if name.endswith(".so")]
        assert {struct.unpack("<H", opened.read(name)[18:20])[0] for name in libraries} == {183}  # EM_AARCH64
        assert {name.rpartition(".cpython-")[2].partition("-")[0] for name in libraries} == {"312"}
    template = (tmp_path / "template.yaml").read_text("utf-8")
    assert "python3.12" in template
    assert "arm64" in template


REFUSED = {
    "a wrong bot": ({"bots/hello.yaml": "persona: hi\n"}, (), 1, "hello.yaml:1:1: `model` is missing"),
    "no bots": ({}, (), 1, "holds no bots; make one: botkit new NAME"),
    "an old Python": (HELLO, ("--python", "3.10"), 2, "no Python 3.10 that botkit runs on; write --python 3.11"),
    "no such folder": (HELLO, ("--output", "none/x.zip"), 1, "name a file in a folder that is there"),
    "a zip among the bots": (HELLO, ("--output", "bots/x.zip"), 1, "would stand among the bots"),
    "somebody's template": ({**HELLO, "template.yaml": "a: b\n"}, (), 2, "template.yaml was not made by botkit"),
    "Amazon Linux 2": (HELLO, ("--python", "3.11"), 1, "Lambda's Python 3.11 is the last on the old Amazon Linux 2"),
    "no such package": (
        {**HELLO, "bots/requirements.txt": "botkit-no-such-package-7c1f\n"},
        ("--python", "3.13"),
        1,
        "there is no package botkit-no-such-package-7c1f in the index; correct bots/requirements.txt",
    ),
    "another version than here": (
        {**HELLO, "bots/requirements.txt": "jinja2<3\n"},
        ("--python", "3.13"),
        1,
        "unsatisfiable; correct bots/requirements.txt",
    ),
    "a package that is not what was locked": (
        {**HELLO, "handler.py": "", "requirements.lock": f"six==1.17.0 --hash=sha256:{'0' * 64}\n"},
        ("--python", "3.13"),
        1,
        "six==1.17.0 was fetched, and is not what requirements.lock names",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_packaged_is_told_in_a_sentence_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files, arguments, code, sentence = REFUSED[case]
    (tmp_path / "bots").mkdir()
    before = write(tmp_path, {**files, "botkit.zip": "older"})
    there = sorted(before.rglob("*"))
    assert package_in(tmp_path, monkeypatch, *arguments) == code
    told = " ".join(capsys.readouterr().err.split())
    assert sentence in told, told
    assert str(tmp_path / "botkit.zip") not in told
    assert sorted(path for path in before.rglob("*") if "__pycache__" not in path.parts) == there
    assert (tmp_path / "botkit.zip").read_text("utf-8") == "older"


# ---------------------------------------------------------------- the bots folder


def refused(bots: Path, tmp_path: Path) -> str:
    with pytest.raises(DeployError) as caught:
        build_for(bots, tmp_path / "botkit.zip")
    assert not (tmp_path / "botkit.zip").exists()
    return str(caught.value)


def link_out(bots: Path) -> None:
    (bots / "data").symlink_to("/etc")


def link_to_a_file_outside(bots: Path) -> None:
    (bots / "passwords.txt").symlink_to("/etc/passwd")


def link_to_nothing(bots: Path) -> None:
    (bots / "gone").symlink_to("nothing")


def link_in_a_circle(bots: Path) -> None:
    (bots / "sub").mkdir()
    (bots / "sub" / "up").symlink_to("..")


def link_to_a_secret(bots: Path) -> None:
    (bots / ".env").write_text("SECRET=x", "utf-8")
    (bots / "settings").symlink_to(".env")


def pipe(bots: Path) -> None:
    os.mkfifo(bots / "pipe")


def odd_name(bots: Path) -> None:
    (bots / "a\\b").write_text("x", "utf-8")


def hidden_persona(bots: Path) -> None:
    write(bots, {"hello.yaml": "persona: {file: .kind.j2}\nmodel: m\n", ".kind.j2": "hi"})


def spoilt_module(bots: Path) -> None:
    write(bots, {"steps/old.py": "x = 1\nprint 'old'\n"})


def large(bots: Path) -> None:
    with (bots / "film.mp4").open("wb") as film:
        film.truncate(262_144_000)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (link_out, "data is a link that leads out of the bots folder; put the file itself there"),
        (link_to_a_file_outside, "passwords.txt is a link that leads out of the bots folder"),
        (link_to_nothing, "gone is a link that leads nowhere; remove it"),
        (link_in_a_circle, "sub/up is a link that goes round in a circle; remove it"),
        (link_to_a_secret, "settings is a link to a hidden file; put the file itself there"),
        (pipe, "pipe is neither a file nor a folder; remove it"),
        (odd_name, "has a name that not every zip can hold; rename it"),
        (hidden_persona, ".kind.j2 is hidden, and does not go into a package; give it another name"),
        (spoilt_module, "bots/steps/old.py:2: SyntaxError: Missing parentheses in call to 'print'"),
        (large, "Lambda 262 at most; the largest parts are bots 262 MB, openai"),
    ],
)
def test_what_must_not_be_packaged_is_refused(spoil: Any, sentence: str, tmp_path: Path) -> None:
    bots = write(tmp_path / "bots", {"hello.yaml": "persona: hi\nmodel: m\n"})
    spoil(bots)
    assert sentence in refused(bots, tmp_path)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    bots = write(tmp_path / "bots", {"hello.yaml": "persona: hi\nmodel: m\n", "data/a.txt": "a"})
    (bots / "more").symlink_to("data")
    task = unpack_for(bots, tmp_path / "task")
    assert (task / "bots" / "more" / "a.txt").read_text("utf-8") == "a"
    assert not (task / "bots" / "more").is_symlink()


def test_steps_in_a_folder_of_another_name_would_not_be_found(tmp_path: Path) -> None:
    bots = write(
        tmp_path / "mine", {"steps/own.py": OWN, "a.yaml": "persona: hi\nmodel: m\npipeline: [reply, x, model]\n"}
    )
    text = (bots / "a.yaml").read_text("utf-8").replace("x,", "{use: mine.steps.own:Own}, persona,")
    (bots / "a.yaml").write_text(text, "utf-8")
    with pytest.raises(DeployError, match=r"rename mine/, and write `use: bots\.…`"):
        check(bots)


def test_two_bots_of_one_account_are_refused(tmp_path: Path) -> None:
    text = "persona: hi\nmodel: m\nline: {channel_secret: env:S, channel_access_token: env:T}\n"
    with pytest.raises(SpecError, match="each bot needs a LINE account of its own"):
        check(write(tmp_path / "bots", {"a.yaml": text, "b.yaml": text}))


# ---------------------------------------------------------------- packages


def test_steps_that_bring_boto3_have_every_service(tmp_path: Path) -> None:
    bots = write(tmp_path / "bots", {"requirements.txt": "boto3\n"})
    folder = tmp_path / "packages"
    folder.mkdir()
    versions = wheels.install(folder, target().machine, tmp_path / "none.lock", bots / "requirements.txt")
    prune(folder, versions)
    assert (folder / "boto3").is_dir()
    assert (folder / "botocore" / "data" / "s3").is_dir()
    assert versions["boto3"] == version("boto3")


def test_without_a_network_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_DEFAULT_INDEX": "http://me:hunter2@127.0.0.1:9/simple",
        "UV_HTTP_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeployError) as caught:
        wheels.install(tmp_path, target().machine, tmp_path / "none.lock", tmp_path / "none.txt")
    assert str(caught.value) == (
        "the packages cannot be fetched: there is no connection to the package index; connect, and try again"
    )


def test_passwords_of_an_index_are_not_told() -> None:
    said = "error: Failed to fetch https://me:hunter2@example.com/simple/: 401 Unauthorized"
    assert "hunter2" not in wheels.explain(said, target().machine)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_wheels_fit_the_glibc_of_lambdas_image(python: str) -> None:
    platform = Target(python, "arm64").machine.arguments[1]
    assert platform == f"aarch64-manylinux_2_{17 if python == '3.11' else 34}"


def test_a_package_is_for_the_python_that_is_here_where_lambda_can_run_it() -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert default_python() == ("3.13" if here == "3.11" else here)
