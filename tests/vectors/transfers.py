"""A whole link of a transfer, in the order in which it is sent (5e)."""

from typing import Any

from anonp2p.crypto import identity, suite
from anonp2p.protocol import transfer
from anonp2p.protocol.bodies import FileOffer
from anonp2p.protocol.transfer import FetchingEnd, HashList, ServingEnd, Want

Vectors = dict[str, Any]


def transfers(offer: FileOffer, contents: bytes, fetcher: Any, nonces: tuple[bytes, bytes]) -> Vectors:
    """All of it. fetcher: a `make.Person`; nonces: what the author draws, and the fetcher."""
    chunks = [contents[at : at + 65_536] for at in range(0, len(contents), 65_536)]
    hashes = HashList(b"".join(map(suite.hash_data, chunks)))
    serving, fetching = (
        ServingEnd(offer.secret, nonces[0], offer.size),
        FetchingEnd(offer.secret, nonces[1], offer.size),
    )
    fetching.receive_data(nonces[0])
    serving.receive_data(nonces[1])
    claim = fetcher.me.id + fetcher.me.sign(identity.FETCH, offer.address + b"".join(nonces))
    # Of a long record the hash: its text is that of the one before it in the file, or the list.
    up = [fetching.seal_claim(claim), *(map(fetching.seal_want, (Want("list", 0, 1), Want("chunks", 0, 2))))]
    up.append(fetching.seal_done())
    long = [serving.seal_piece(hashes.data), *map(serving.seal_chunk, chunks)]
    return {
        "size": {"text": str(offer.size)},
        "secret": offer.secret,
        "5e.2 hash list": hashes.data,
        "5e.2 root": hashes.root,
        "5e.6 client": {
            "private": transfer.derive_client_key(offer.secret),
            "public": transfer.find_client(offer.secret),
        },
        "5e.6 challenge": serving.challenge,
        "5e.6 fetch keys": suite.expand(offer.secret, "fetch keys", serving.challenge),
        "5e.6 serve keys": suite.expand(offer.secret, "serve keys", serving.challenge),
        "5e.6 records of the fetcher: Claim, WantList 0 1, Want 0 2, Done": up,
        "5e.6 records of the author: Piece, Chunk, Chunk, each as its first 100 bytes and its hash": [
            {"begins": record[:100], "hash": suite.hash_data(record)} for record in long
        ],
        "5e.6 records of the author: Queued 3, NotServed 0, 1, 2": [
            serving.seal_waiting(3),
            *(serving.seal_refusal(why) for why in ("not-yours", "over", "crowded")),
        ],
    }
