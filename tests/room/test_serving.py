"""Our onion services, without a network."""

import pytest

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.room import effects
from anonp2p.room.serving import Serving
from tests.room.host.parts import new_context, take_effects
from tests.room.peers import service_changes

KEYS = [RoomKey(bytes([number]) * 32) for number in range(3)]
ONE, TWO, _ = [key.public for key in KEYS]


class Services:
    """Some services, two of which are wanted."""

    def __init__(self) -> None:
        self.context = new_context()
        self.serving = Serving(self.context.reporter, self.context.random, self.context.pool)
        for key in KEYS:
            self.serving.add_key(key)
        self.serving.serve(ONE)
        self.serving.serve(TWO, 3.0)

    def wanted(self) -> list[tuple[str, bytes]]:
        """What is to be done."""
        return service_changes(take_effects(self.context))


@pytest.fixture
def services() -> Services:
    return Services()


def test_each_service_is_asked_for_once(services: Services) -> None:
    services.serving.serve(ONE)
    assert services.wanted() == [("serve", ONE), ("serve", TWO)]


def test_a_service_can_be_found_from_its_publication_on_until_its_network_is_lost(services: Services) -> None:
    assert not services.serving.is_published(ONE)
    services.serving.note_published(ONE)
    assert services.serving.is_published(ONE)
    assert not services.serving.is_published(TWO)
    services.serving.note_unpublished(ONE)
    assert not services.serving.is_published(ONE)


def test_a_service_whose_network_was_lost_comes_back_at_a_time_of_its_own(services: Services) -> None:
    services.wanted()
    services.serving.note_unpublished(ONE)
    [effect] = take_effects(services.context)
    assert isinstance(effect, effects.ServeEffect)
    assert (effect.key.public, effect.returns) == (ONE, True)
    assert 0 < effect.pause < limits.RETURN_SPREAD


def test_a_service_that_was_stopped_does_not_come_back_and_can_be_asked_for_again(services: Services) -> None:
    services.wanted()
    services.serving.stop(ONE)
    services.serving.stop(ONE)
    services.serving.note_published(ONE)
    assert not services.serving.is_published(ONE)
    services.serving.note_unpublished(ONE)
    services.serving.serve(ONE)
    assert services.wanted() == [("stop", ONE), ("serve", ONE)]


def test_all_services_but_one_are_stopped_together(services: Services) -> None:
    services.wanted()
    services.serving.stop_all(TWO)
    assert services.wanted() == [("stop", ONE)]
    services.serving.stop_all()
    assert services.wanted() == [("stop", TWO)]


def test_of_a_room_that_is_over_no_key_is_kept(services: Services) -> None:
    assert services.serving.find_key(ONE) is KEYS[0]
    services.serving.forget_keys()
    assert services.serving.find_key(ONE) is None


def test_a_service_for_some_alone_stays_so_until_it_is_stopped(services: Services) -> None:
    """Also when it is published anew, or comes back after its network was lost."""
    services.wanted()
    services.serving.serve_for(ONE, (TWO,))
    services.serving.renew(ONE)
    services.serving.note_unpublished(ONE)
    services.serving.stop(ONE)
    services.serving.serve(ONE)
    done = [it for it in take_effects(services.context) if isinstance(it, effects.ServeEffect)]
    assert [it.clients for it in done] == [(TWO,), (TWO,), (TWO,), ()]


def test_a_service_that_is_wanted_is_published_anew_when_another_may_have_published_it(services: Services) -> None:
    services.wanted()
    services.serving.renew(ONE)
    assert services.wanted() == [("stop", ONE), ("serve", ONE)]
    services.serving.stop(ONE)
    services.wanted()
    services.serving.renew(ONE)
    assert services.wanted() == []
