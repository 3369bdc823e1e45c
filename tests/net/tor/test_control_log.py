"""stem would log each line that goes over the control port, with the keys of rooms, wherever a bot keeps its log."""

import subprocess
import sys

LOGGED = """
import logging.config
import stem.util.log
{first}
handlers = {{"stderr": {{"class": "logging.StreamHandler"}}}}
root = {{"level": 1, "handlers": ["stderr"]}}
logging.config.dictConfig({{"version": 1, "disable_existing_loggers": False, "handlers": handlers, "root": root}})
{then}
stem.util.log.trace("ADD_ONION secret")
stem.util.log.error("ADD_ONION secret")
logging.getLogger("of the bot").debug("hello")
"""


def logged(first: str, then: str) -> str:
    code = LOGGED.format(first=first, then=then)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stderr


def test_without_us_stem_logs_what_goes_over_the_control_port() -> None:
    assert "ADD_ONION secret" in logged("", "")


def test_with_us_it_logs_nothing_however_a_bot_sets_up_its_log_before_or_after() -> None:
    for order in ("import anonp2p.net.tor.controller", ""), ("", "import anonp2p.net.tor.controller"):
        said = logged(*order)
        assert "secret" not in said
        assert "hello" in said
