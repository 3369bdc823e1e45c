"""Passes on what comes for each relay of a private network after a delay, so that the network has distances.

Arguments: delay and jitter in milliseconds, then SEEN:REAL for each relay: what comes to port SEEN of 127.0.0.1 goes to
port REAL, and back. A piece of data takes the delay on average, of which the jitter is the mean of an exponential
share; none overtakes another. Prints a line once all ports are open, and ends with its stdin.
"""

import asyncio
import random
import sys

PIECE = 65_536
IN_FLIGHT = 256  # pieces on one way; then the sender has to wait


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float, jitter: float) -> None:
    """One way of a connection, until its end, which takes as long as all else."""
    loop = asyncio.get_running_loop()
    flying: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

    async def land() -> None:
        while True:
            due, data = await flying.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            writer.write(data)
            await writer.drain()

    async def take_off() -> None:
        data = b"any"
        while data:
            try:
                data = await reader.read(PIECE)
            except ConnectionError:
                data = b""
            await flying.put((loop.time() + delay - jitter + random.expovariate(1 / jitter if jitter else 1e9), data))

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(take_off())
            tasks.create_task(land())
    except* ConnectionError:
        pass
    finally:
        writer.close()


async def main(delay: float, jitter: float, ports: list[tuple[int, int]]) -> None:
    """Until stdin ends. delay, jitter: in seconds."""
    connections = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, real: int) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", real)
        except OSError:
            writer.close()
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(carry(reader, inner_writer, delay, jitter))
            tasks.create_task(carry(inner_reader, writer, delay, jitter))

    def open_port(real: int) -> "asyncio.streams._ClientConnectedCallback":
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = asyncio.create_task(serve(reader, writer, real))
            connections.add(connection)
            connection.add_done_callback(connections.discard)

        return connected

    for seen, real in ports:
        await asyncio.start_server(open_port(real), "127.0.0.1", seen)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    milliseconds, pairs = sys.argv[1:3], [pair.split(":") for pair in sys.argv[3:]]
    in_seconds = [float(number) / 1_000 for number in milliseconds]
    asyncio.run(main(in_seconds[0], in_seconds[1], [(int(seen), int(real)) for seen, real in pairs]))
