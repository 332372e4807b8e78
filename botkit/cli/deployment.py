"""One deployment, step by step: look, package, upload, propose, ask, execute; what is not executed leaves nothing."""

import json
from argparse import Namespace
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from uuid import uuid4

from rich import filesize

from botkit.cli.cloud import settings
from botkit.cli.deploy_view import View
from botkit.cli.execution import Execution, Report, Undo
from botkit.cli.folder import bots_folder
from botkit.cli.plan import plan_for_stack
from botkit.deploy.beforehand import REDO, Findings, look_at_secrets, look_at_table, status_fault
from botkit.deploy.bots import check
from botkit.deploy.changes import Side, read_changes
from botkit.deploy.environment import environment_fault
from botkit.deploy.existing import read_package
from botkit.deploy.failures import local
from botkit.deploy.needs import needs_of
from botkit.deploy.package import GLIBC, Package, Target, build, default_python, find_home
from botkit.deploy.parameters import Values, defaults_of, settle
from botkit.deploy.plan import summary
from botkit.deploy.rollout import Proposal, Stack
from botkit.deploy.session import caller, open_session
from botkit.deploy.stack import REDACTED, Deployed, find_stack
from botkit.deploy.storage import Bucket, bucket_of, key_of
from botkit.deploy.template import template, with_code
from botkit.deploy.unpack import unpack_bots
from botkit.errors import BotkitError, DeployError, SpecError
from botkit.spec.bot import BotSpec

LONGEST_BODY: Final = 51_200
"""Bytes of a template that can be sent along; a longer one has to lie in a bucket (CloudFormation quotas)."""


class Deployment:
    """Brings bots to a stack. Lives as long as the command; `options` are those of the command.

    Raises DeployError, also for what cannot be asked; SpecError where a bot is wrong.
    """

    def __init__(self, options: Namespace, environ: Mapping[str, str], view: View, pause: float) -> None:
        """`environ` is the process's own."""
        self._options = options
        self._own_environ = environ
        self._environ = settings(environ)
        self._view = view
        self._pause = pause
        self._folder = bots_folder(self._environ)
        self.report = Report(options.stack)
        self._package: Package | None = None
        self.bots: Mapping[str, BotSpec] = {}

    def run(self) -> None:
        """Do it; `report` says what came of it, also where an error is raised."""
        try:
            self._run()
        except BrokenPipeError:  # nobody listens any more
            raise
        except OSError as error:
            raise DeployError(f"cannot deploy: {local(error)}") from None

    def _run(self) -> None:
        with TemporaryDirectory(prefix="botkit-") as scratch, Undo(self._view) as undo:
            self._scratch, self._undo = Path(scratch), undo
            self._load()
            self._session = open_session(self._environ)
            self._who = caller(self._session)
            self._stack = Stack(self._session, self._options.stack, self._pause)
            self.report.region, self.report.account = self._session.region, self._who.account
            self._execution = Execution(self._stack, self._session.region, self._view, self.report)
            self._greet()
            self._deploy()

    def _load(self) -> None:
        """The bots of the folder, or of the package that was named."""
        if self._options.package:
            self._package = read_package(self._options.package)
            self._folder = unpack_bots(self._options.package, self._scratch / self._options.package.name)
        try:
            self.bots = check(self._folder).bots
        except SpecError as error:
            beside = f"{self._scratch}/"
            raise SpecError([replace(one, file=one.file.removeprefix(beside)) for one in error.problems]) from None

    def _greet(self) -> None:
        what = "1 bot" if len(self.bots) == 1 else f"{len(self.bots):,} bots"
        self._view.say(f"{what} to the stack {self._stack.name} in {self._session.region}", "bold")
        self._view.say(f"account {self._who.account}, as {self._who.arn}", "dim")

    def _deploy(self) -> None:
        status = self._stack.status()
        before = None if status is None else find_stack(self._session, self._stack.name)
        if fault := status_fault(self._stack.name, self._session.region, status):
            self._refuse((fault,))
            return
        redo = status == REDO
        self._target = self._package.target if self._package else target_of(self._options, before)
        made, known = template(self.bots, self._target), {} if redo or not before else before.parameters
        values = settle(made, self._environ, self._given(), known)
        if not self._look(values, made, known) or (redo and not self._clear()):
            return
        self._propose(None if redo else before, made, values)

    # ------------------------------------------------------------ before anything is made

    def _given(self) -> dict[str, str]:
        table = {} if self._options.table is None else {"Table": self._options.table}
        return {**dict(self._options.set), **table}

    def _look(self, values: Values, made: Mapping[str, Any], known: Mapping[str, str]) -> bool:
        """Tell what would fail; whether nothing would."""
        texts = {one.variable: one.text for one in values.all if one.variable and one.text}
        too_long = environment_fault(texts, self._stack.name, made)
        found = [
            Findings((*values.faults, *([too_long] if too_long else []))),
            look_at_secrets(self._session, needs_of(self.bots)),
        ]
        if not values.faults and (table := values.plain(made, known)["Table"]):
            found.append(look_at_table(self._session, table))
        self._view.findings(Findings(remarks=tuple(remark for one in found for remark in one.remarks)))
        return self._refuse(tuple(fault for one in found for fault in one.faults))

    def _refuse(self, faults: tuple[str, ...]) -> bool:
        """Tell why it cannot be; whether it can, because there are no faults."""
        self._view.findings(Findings(faults))
        self.report.cause = "; ".join(faults) or None
        return not faults

    def _clear(self) -> bool:
        """Delete what is left of a first deployment that failed; whether that was wanted, and done."""
        self._view.say("The first deployment of this stack failed, and nothing of it runs.", "yellow")
        for table in self._stack.remains():
            self._view.say(f"Its table {table} stays in the account; to go on with it: --table {table}", "yellow")
        if self._options.dry_run:
            self._view.say("botkit deploy would delete what is left, and make it anew.")
            self.report.status = "proposed"
        elif self._options.yes or self._view.ask("Delete what is left, and make it anew?"):
            return self._execution.delete("deleting what is left")
        else:
            self.report.status = "declined"
        return False

    # ------------------------------------------------------------ package and proposal

    def _propose(self, before: Deployed | None, made: Mapping[str, Any], values: Values) -> None:
        package = self._package or self._build()
        bucket, key = bucket_of(self._session, self._who), key_of(self._stack.name, package.sha256)
        code = with_code(made, bucket.name, key)
        self._upload(bucket, key, package)
        proposal = self._proposed(bucket, code, values)
        if proposal is None:
            self.report.status, self.report.deployed = "unchanged", before
            self._undo.forget()  # the stack runs on this package
            return
        self._undo.later(self._stack.withdraw, proposal)
        self._show(proposal, before, code, values)
        if self._may_go_on() and self._execution.execute(proposal, self._undo, values.secrets):
            self._finish(bucket, before, key)

    def _plan(self, before: Deployed | None) -> list[str]:
        """What changes bot by bot; a sentence where that cannot be told, which is no reason not to deploy."""
        # Own steps are imported for that, and what stands in .env is not meant for them.
        environ = {**self._own_environ, "BOTKIT_BOTS": str(self._folder)}
        try:
            return summary(plan_for_stack(self._session, before, environ))
        except BotkitError as error:
            return [f"what changes bot by bot cannot be told: {error}"]

    def _build(self) -> Package:
        with self._view.progress() as tell:
            package = build(find_home(self._folder), self._folder, self._scratch / "botkit.zip", self._target, tell)
        self._view.findings(Findings(remarks=package.notes))
        return package

    def _upload(self, bucket: Bucket, key: str, package: Package) -> None:
        """Put the package where Lambda finds it. What is made for that is taken back if nothing comes of it."""
        if not (was_there := bucket.exists()):
            bucket.make(self._who.partition)
            self._undo.later(bucket.remove)
        size = package.path.stat().st_size
        is_new = not bucket.holds(key)
        if is_new:
            self._undo.later(self._take_back, bucket, key)  # said first, because uploading can be broken off
            if was_there:
                bucket.lock(self._who.partition)  # whoever made it may have been broken off before
            with self._view.progress(of_bytes=True) as tell:
                bucket.put(key, package.path, lambda done: tell("uploading the package", done, size))
        said = "uploaded" if is_new else "uploaded before"
        runtime = f"{package.target.runtime}, {package.target.architecture}"
        self._view.say(f"package of {filesize.decimal(size)} {said} ({runtime})", "dim")

    def _take_back(self, bucket: Bucket, key: str) -> None:
        """Delete a package for nothing uploaded, unless another deployment, of the same files, has gone on with it."""
        there = find_stack(self._session, self._stack.name)
        if there is None or not (there.status.endswith("_IN_PROGRESS") or _runs_on(there, key)):
            bucket.drop(key)

    def _proposed(self, bucket: Bucket, code: Mapping[str, Any], values: Values) -> Proposal | None:
        text = json.dumps(code, ensure_ascii=False, separators=(",", ":"))
        with self._view.progress() as tell, ExitStack() as lent:
            tell("asking AWS what would change", 0, 0)
            body = {"TemplateBody": text}
            if len(text.encode()) > LONGEST_BODY:
                key = f"{self._stack.name}/{uuid4().hex}.json"
                lent.callback(bucket.drop, key)
                bucket.put_text(key, text)
                body = {"TemplateURL": bucket.address(key)}
            return self._stack.propose(body, values.wire(), values.secrets)

    # ------------------------------------------------------------ what would change, and whether it may

    def _show(self, proposal: Proposal, before: Deployed | None, code: Mapping[str, Any], values: Values) -> None:
        known = before.parameters if before else {}
        old = {name: text for name, text in known.items() if text != REDACTED}
        self.report.settings = values.plain(code, known)
        sides = Side(before.template if before else {}, old), Side(code, self.report.settings)
        in_use = before.outputs.get("Table", "") if before else ""
        self.report.changes = read_changes(proposal.changes, *sides, in_use)
        if not (self._options.json and self._options.yes):  # else nobody reads it
            self._view.plan(self._plan(before))
        self._view.changes(self.report.changes)
        self._view.settings({**defaults_of(code), **old}, self.report.settings, values.all)

    def _may_go_on(self) -> bool:
        """Whether nothing forbids it, and it is wanted."""
        if self._options.dry_run:
            self.report.status = "proposed"
        elif any(change.loses for change in self.report.changes) and not self._options.replace_table:
            self._refuse(
                ("the conversations would be lost, so nothing was changed; if that is meant: --replace-table",)
            )
        elif self._options.yes or self._view.ask("Deploy this?"):
            return True
        else:
            self.report.status = "declined"
        return False

    def _finish(self, bucket: Bucket, before: Deployed | None, key: str) -> None:
        if before and before.bucket == bucket.name and before.key and before.key != key:
            with suppress(DeployError):  # then it stays where it is, for a cent a month
                bucket.retire(before.key)
        self.report.status = "deployed"
        self.report.deployed = find_stack(self._session, self._stack.name)


def target_of(options: Namespace, before: Deployed | None) -> Target:
    """As the command says, else as it is deployed, else as it is packaged without a word."""
    known = before.template.get("Metadata", {}).get("botkit", {}) if before else {}
    python: str = known["python"] if known.get("python") in GLIBC else default_python()
    arm = known.get("architecture") == "arm64" if options.arm is None else options.arm
    return Target(options.python or python, "arm64" if arm else "x86_64")


def _runs_on(stack: Deployed, key: str) -> bool:
    """Whether it has this package, and was not put back to what it had before."""
    return stack.key == key and "ROLLBACK" not in stack.status
