"""`python -m botkit` is the `botkit` command."""

import sys

from botkit.cli.main import main

sys.exit(main())
