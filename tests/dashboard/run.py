"""Plays one scenario: run.py FILE.SCENARIO GIVEN. GIVEN is JSON: where the service is, and a key of it."""

import importlib
import json
import sys

import browser

scenario, given = sys.argv[1:]
file, name = scenario.split(".")
with browser.opened(json.loads(given), name) as desk:
    getattr(importlib.import_module(file), name)(desk)
