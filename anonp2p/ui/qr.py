"""A room's code as a QR symbol, for the camera of a phone; drawn with half blocks, two modules to a character."""

Matrix = list[list[bool]]  # rows of modules; whether each is dark

_BLOCKS = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}  # what is drawn: above, below


def matrix(code: str, border: int = 4) -> Matrix:
    """The smallest symbol for this code, with the most error correction that its size allows, in a light border."""
    import segno  # not sooner: few ever ask, and the program should start fast

    symbol = segno.make_qr(code, error="l", boost_error=True)
    return [[bool(module) for module in row] for row in symbol.matrix_iter(border=border)]


def rows(modules: Matrix, *, inverted: bool) -> list[str]:
    """The symbol in lines of text. inverted: what is drawn are the light modules, as for a dark terminal."""
    drawn = [[dark != inverted for dark in row] for row in modules]
    if len(drawn) % 2:
        drawn.append([False] * len(drawn[0]))
    pairs = zip(drawn[::2], drawn[1::2], strict=True)
    return ["".join(_BLOCKS[pair] for pair in zip(above, below, strict=True)) for above, below in pairs]
