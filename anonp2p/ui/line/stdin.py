"""Standard input, line by line."""

from collections.abc import AsyncGenerator

import trio

from anonp2p import limits
from anonp2p.ui import stdio


async def read_lines(descriptor: int = 0) -> AsyncGenerator[bytes, None]:
    """Yields the lines without their line breaks. A line that is too long is cut off, but is still too long then.

    Raises OSError. A thread does the reading: stdin may be a file, and may be shared with whoever started us, so we
    can make it neither non-blocking nor blocking. No call in the thread takes a lock that could keep the interpreter
    from ending while it waits.
    """
    buffer = b""
    skipping = False  # the rest of a line that was too long
    ended = False
    while not ended:
        data = await trio.to_thread.run_sync(stdio.read, descriptor, abandon_on_cancel=True)
        ended = not data
        *lines, buffer = (buffer + data).split(b"\n")
        del data  # while we wait for more, nothing of what was read is held here
        is_cut = bool(buffer) and (ended or len(buffer) > limits.INPUT_LINE)
        if is_cut:
            lines.append(buffer)
            buffer = b""
        while lines:
            if skipping:
                del lines[0]
            else:
                yield lines.pop(0)
            skipping = is_cut and not lines
