"""The onion services by which we are reached: their keys, which of them are wanted, and which can be found."""

from collections.abc import Callable

from anonp2p import limits
from anonp2p.names.codes import RoomKey
from anonp2p.room import effects
from anonp2p.room.dice import draw_between
from anonp2p.room.pool import Pool
from anonp2p.room.reporter import Reporter


class Serving:
    """Our services, by their addresses. random: gives so many fresh bytes. pool: of a private room."""

    def __init__(self, reporter: Reporter, random: Callable[[int], bytes], pool: Pool) -> None:
        self._pool = pool
        self._reporter = reporter
        self._random = random
        self._keys: dict[bytes, RoomKey] = {}
        self._wanted: set[bytes] = set()
        self._published: set[bytes] = set()
        self._clients: dict[bytes, tuple[bytes, ...]] = {}  # of services for others than the pool has, by address

    def add_key(self, key: RoomKey) -> None:
        """Keeps the key of a service, to be served or not."""
        self._keys[key.public] = key

    def find_key(self, address: bytes) -> RoomKey | None:
        """The key of the service with this address, if we have it."""
        return self._keys.get(address)

    def is_wanted(self, address: bytes) -> bool:
        """Whether the service is to be reachable: it leads to us then."""
        return address in self._wanted

    def is_published(self, address: bytes) -> bool:
        """Whether the service can be found."""
        return address in self._published

    def list_wanted(self) -> list[bytes]:
        """The addresses at which we are to be reached."""
        return sorted(self._wanted)

    def serve(self, address: bytes, pause: float = 0.0) -> None:
        """The service is to be reachable from now on. pause: see `effects.ServeEffect`."""
        if address not in self._wanted:
            self._wanted.add(address)
            self._ask_for(address, returns=False, pause=pause)

    def serve_for(self, address: bytes, clients: tuple[bytes, ...]) -> None:
        """The service is to be found by these clients alone from now on, whoever found it before."""
        self.stop(address)
        self._clients[address] = clients
        self.serve(address)

    def stop(self, address: bytes) -> None:
        """The service takes no new links any more; its key is kept."""
        self._clients.pop(address, None)
        if address in self._wanted:
            self._wanted.discard(address)
            self._published.discard(address)
            self._reporter.add_effect(effects.StopServingEffect(address))

    def renew(self, address: bytes) -> None:
        """The service is published anew, if it is wanted: another may have published it after us."""
        if address in self._wanted:
            clients = self._clients.get(address, ())
            if clients:
                self.serve_for(address, clients)
            else:
                self.stop(address)
                self.serve(address)

    def stop_all(self, *but: bytes) -> None:
        """So it is with all services but these."""
        for address in sorted(self._wanted.difference(but)):
            self.stop(address)

    def note_published(self, address: bytes) -> None:
        """The service can be found, if it is still wanted."""
        if address in self._wanted:
            self._published.add(address)

    def note_unpublished(self, address: bytes) -> None:
        """The network is lost, and with it the service: it comes back with another one, at a time of its own."""
        self._published.discard(address)
        if address in self._wanted:
            pause = draw_between(self._random, 0.0, limits.RETURN_SPREAD)  # so that not all appear at one moment
            self._ask_for(address, returns=True, pause=pause)

    def _ask_for(self, address: bytes, *, returns: bool, pause: float) -> None:
        clients = self._clients.get(address, self._pool.clients)
        self._reporter.add_effect(effects.ServeEffect(self._keys[address], returns, pause, clients))

    def forget_keys(self) -> None:
        """We are out."""
        self._keys.clear()
