"""What the full screen draws anew as time goes by, though nobody says or presses anything."""

from anonp2p import limits
from tests.support.stage import Stage
from tests.ui.screen.meeting import enter
from tests.ui.screen.test_reading import LOG


def test_what_is_shown_once_disappears_after_its_time() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage)
        stage.ask("retain", who="ada", to="never")
        stage.ask("say", who="ada", text="only now")
        stage.until("ada │ only now")
        stage.wait(limits.FLEETING - 2)
        assert stage.find("only now")
        stage.wait(4)
        assert not stage.find("only now")


def test_a_countdown_goes_on_every_second() -> None:
    with Stage("--nick", "zoe", columns=LOG) as stage:
        enter(stage, retain="1m")
        stage.ask("say", who="ada", text="this goes")
        stage.until(r"ada │ this goes +\d+s$")
        seen = set()
        for _ in range(5):
            stage.wait(1)
            [row] = [row for row in stage.screen() if "this goes" in row]
            seen.add(row.split()[-1])
        assert len(seen) == 5
