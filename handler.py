"""The Lambda entry point: serves every bot in the bots folder."""

from pathlib import Path

from botkit.runtime import Runtime

handler = Runtime.start(Path(__file__).parent)
