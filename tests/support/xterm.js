// What a terminal whose cells hold grapheme clusters makes of bytes: xterm.js, without a window.
// A line on stdin is a job: {"columns": N, "rows": N, "writes": [base64, ...]}. The answer is a line on stdout: a screen
// after each write, as a list of rows, scrollback included; a row has its cells as [column, text], the empty ones left
// out, and whether it goes on from the one before ("wrapped").
"use strict";
const { Terminal } = require("@xterm/headless");
const { UnicodeGraphemesAddon } = require("@xterm/addon-unicode-graphemes");

function screen(terminal) {
  const buffer = terminal.buffer.active;
  const rows = [];
  for (let y = 0; y < buffer.length; y++) {
    const line = buffer.getLine(y);
    const cells = [];
    for (let x = 0; x < terminal.cols; x++) {
      const text = line.getCell(x).getChars();
      if (text) cells.push([x, text]);
    }
    rows.push({ cells, wrapped: line.isWrapped });
  }
  return rows;
}

async function main() {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    const job = JSON.parse(line);
    const terminal = new Terminal({ cols: job.columns, rows: job.rows, scrollback: 100000, allowProposedApi: true });
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.unicode.activeVersion = "15-graphemes";
    const screens = [];
    for (const data of job.writes) {
      await new Promise((done) => terminal.write(Buffer.from(data, "base64"), done));
      screens.push(screen(terminal));
    }
    process.stdout.write(JSON.stringify(screens) + "\n");
    terminal.dispose();
  }
}

main();
