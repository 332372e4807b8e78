"""Who takes part: how each is laid out as Lambda unpacks it, what its environment holds, and what its zip weighs."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Literal, cast

from benchmarks.loading import BOT as OTHER_BOT
from benchmarks.versus.events import BOT, SECRET, TOKEN
from benchmarks.versus.readings import Weight
from benchmarks.versus.servers import World
from botkit.deploy import archive
from botkit.deploy import bots as bots_folder
from botkit.deploy.bytecode import compile_tree
from botkit.deploy.package import Laid, Target, fill, lay
from botkit.deploy.wheels import uv

HOME = Path(__file__).parents[2]
HANDLERS = Path(__file__).parent / "handlers"
BY_HAND = ("plain", "tuned")
SDKS = ("line-bot-sdk", "openai", "boto3")
BOT_FILE = """\
persona: You are kind.
model: gpt-4.1-mini
line: {channel_secret: env:BENCH_SECRET, channel_access_token: env:BENCH_TOKEN}
"""


Role = Literal["door", "worker"]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A handler in a folder as Lambda has it. `queued`: its door answers nothing, but wakes a worker."""

    name: str
    folder: Path
    queued: bool = False


def environ(contestant: Contestant, world: World, role: Role | None = None) -> dict[str, str]:
    """All that its processes find in their environment: what Lambda sets, and what its owner would set.

    `role` is what a deployment tells each of botkit's two functions; None for one that is both.
    """
    lambdas = {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_SESSION_TOKEN": "session-token-" * 50,
        "LAMBDA_TASK_ROOT": str(contestant.folder),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }
    own = _queued(world, role) if contestant.queued else {"TABLE": world.table, "LINE_URL": world.line}
    known = {name: value for name, value in world.environ().items() if not (contestant.queued and name in _BUNDLES)}
    return {**lambdas, **known, "BENCH_SECRET": SECRET, "BENCH_TOKEN": TOKEN, **own}


_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""The SDKs have a bundle of their own, and need these to know the servers here. On Lambda they are not set, and botkit,
which trusts what the system does, would take them for a wish to trust somebody else: a second TLS context."""


def _queued(world: World, role: Role | None) -> dict[str, str]:
    return {
        **({"BOTKIT_ROLE": role} if role else {}),
        "BOTKIT_STORE": f"dynamodb://{world.table}",
        "BOTKIT_QUEUE": world.queue,
        "BOTKIT_METRICS": "botkit/bench",
        "BOTKIT_LOG": "info",
        "BOTKIT_LINE_URL": world.line,
    }


# ---------------------------------------------------------------- laid out


class Layout:
    """Lays contestants out in a folder, below which what was fetched before is used again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def by_hand(self, name: str) -> Contestant:
        """A handler with its SDKs, as `pip install --target` leaves them, all compiled."""
        task = self._link(self._layer("sdks", _install_sdks), name)
        shutil.copyfile(HANDLERS / f"{name}.py", task / "handler.py")
        compile_tree(sys.executable, task, "handler.py")
        return Contestant(name, task)

    def botkit(self, bots: int = 1) -> Contestant:
        """botkit with so many bots, as `botkit package` makes it, but for this machine's libraries.

        One of them is called, and is the same however many there are.
        """
        task = self._link(self._layer("needs", _install_needs), f"botkit-{bots}")
        files, laid = self._bots(bots), Laid(task, {}, {}, sys.executable)
        fill(laid, bots_folder.check(files), HOME, files, _target(), _untold)
        return Contestant("botkit", task, queued=True)

    def _bots(self, number: int) -> Path:
        folder = self._folder / f"files-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / f"{BOT}.yaml").write_text(BOT_FILE, "utf-8")
        for other in range(1, number):
            (folder / f"bot{other}.yaml").write_text(OTHER_BOT.format(n=other), "utf-8")
        return folder

    def _layer(self, name: str, install: Callable[[Path], None]) -> Path:
        """The packages that `install` fetches, fetched once for each set of versions and way of pruning."""
        layer = self._folder / f"{name}-{_fingerprint()}"
        if not layer.is_dir():
            growing = layer.with_suffix(".part")
            shutil.rmtree(growing, ignore_errors=True)
            growing.mkdir(parents=True)
            install(growing)
            growing.rename(layer)
        return layer

    def _link(self, layer: Path, name: str) -> Path:
        """A task folder with the files of another one, which take no room twice."""
        task = self._folder / "tasks" / name
        shutil.rmtree(task, ignore_errors=True)
        shutil.copytree(layer, task, copy_function=os.link)
        return task


def _install_sdks(to: Path) -> None:
    """The SDKs at the versions that are installed here, and what they need likewise."""
    pins = [f"{name}=={version(name)}" for name in SDKS]
    held = to.with_suffix(".txt")
    held.write_text("".join(f"{one.name}=={one.version}\n" for one in distributions() if one.name != "botkit"), "utf-8")
    where = ("--python", sys.executable, "--target", str(to), "--link-mode", "copy")
    subprocess.run([uv(), "pip", "install", "--quiet", *where, "--constraint", str(held), *pins], check=True)
    held.unlink()
    compile_tree(sys.executable, to)


def _install_needs(to: Path) -> None:
    lay(to, HOME, HOME / "bots", _target(), _untold)


def _fingerprint() -> str:
    """Changes with whatever a layer is made of."""
    names = ("requirements.lock", "pyproject.toml", *(f"botkit/deploy/{one}.py" for one in ("prune", "wheels")))
    versions = sorted(f"{one.name}=={one.version}" for one in distributions())
    parts = [sys.version, *versions, *((HOME / name).read_text("utf-8") for name in names)]
    return sha256("\n".join(parts).encode()).hexdigest()[:12]


def _target() -> Target:
    """This machine, so that what is packaged runs here."""
    major, minor = map(int, platform.libc_ver()[1].split(".")[:2])
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return Target(python, cast(Literal["x86_64", "arm64"], architecture), (major, minor))


def _untold(_doing: str, _done: int, _of: int) -> None:
    pass


# ---------------------------------------------------------------- weighed


def weigh(contestant: Contestant, scratch: Path) -> Weight:
    """Zip it as `botkit package` does, and weigh the zip."""
    files, output = archive.files_of(contestant.folder), scratch / f"{contestant.name}.zip"
    archive.write(files, output, lambda _: None)
    unzipped, zipped = sum(path.stat().st_size for path in files.values()), output.stat().st_size
    output.unlink()
    return Weight(contestant.name, len(files), unzipped, zipped)
