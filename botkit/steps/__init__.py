"""The steps a bot file can name: the answer to "what may I write?" is this dict, in the standard order."""

from botkit.pipeline import Step
from botkit.steps.commands import Commands
from botkit.steps.events import Events
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.limits import Limits
from botkit.steps.media import Media
from botkit.steps.model import Model
from botkit.steps.moderation import Moderation
from botkit.steps.persona import Persona
from botkit.steps.reply import Reply

# `media` stands before `moderation`, so that what is judged is also what a voice message says.
STEPS: dict[str, type[Step]] = {
    "reply": Reply,
    "groups": Groups,
    "events": Events,
    "commands": Commands,
    "limits": Limits,
    "media": Media,
    "moderation": Moderation,
    "history": History,
    "persona": Persona,
    "model": Model,
}
