"""The input line in the rows that there are for it."""

import urwid

from anonp2p.ui.screen.input.editor import Editor


class EditorBox(urwid.WidgetDecoration[Editor]):
    """The editor in as many rows as there are: those around the cursor, if not all fit."""

    _sizing = frozenset((urwid.BOX,))
    _selectable = True

    def __init__(self, editor: Editor) -> None:
        super().__init__(editor)
        self._top = 0  # the first row shown

    def sizing(self) -> frozenset[urwid.Sizing]:
        """A box."""
        return self._sizing

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.CompositeCanvas:  # type: ignore[override]
        """What urwid shows."""
        columns, rows = size
        canvas = urwid.CompositeCanvas(self.original_widget.render((columns,), focus))
        top = self._scroll(size)
        canvas.pad_trim_top_bottom(-top, rows + top - canvas.rows())
        return canvas

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """As the editor."""
        return self.original_widget.keypress(size[:1], key)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Where the cursor is, in the rows shown."""
        at = self.original_widget.get_cursor_coords(size[:1])
        return at and (at[0], at[1] - self._scroll(size))

    def mouse_event(  # type: ignore[override]
        self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool
    ) -> bool | None:
        """As the editor."""
        return self.original_widget.mouse_event(size[:1], event, button, col, row + self._scroll(size), focus)

    def _scroll(self, size: tuple[int, int]) -> int:
        """The first row to show: the same as before, unless the cursor or the end of the text would be out of sight."""
        columns, rows = size
        at = self.original_widget.get_cursor_coords((columns,))
        row = at[1] if at else 0
        top = min(self._top, max(self.original_widget.rows_wanted(columns) - rows, 0))
        self._top = min(max(top, row - rows + 1), row)
        return self._top
