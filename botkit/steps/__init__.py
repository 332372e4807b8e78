"""The steps a bot file can name: the answer to "what may I write?" is this dict, in the standard order."""

from botkit.pipeline import Step
from botkit.steps.groups import Groups
from botkit.steps.history import History
from botkit.steps.model import Model
from botkit.steps.persona import Persona
from botkit.steps.reply import Reply

STEPS: dict[str, type[Step]] = {
    "reply": Reply,
    "groups": Groups,
    "history": History,
    "persona": Persona,
    "model": Model,
}
