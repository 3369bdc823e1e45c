"""Makes anonp2p/names/confusables.py anew from Unicode's confusables.txt (UTS #39), the one argument.

What it writes is for names.looks: what replaces each character that is in nicks, or in them in capitals or without
case. Run it with the oldest Python that we run on: prototypes that this does not know are not used, since only some
Pythons know their case.
"""

import argparse
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from unicodedata import ucd_3_2_0 as unicode  # what nicks are made of: see names.py

TARGET = Path(__file__).resolve().parents[2] / "anonp2p" / "names" / "confusables.py"
CATEGORIES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd")
HEADER = '''\
"""Which characters look alike: made by scripts/confusables from Unicode's confusables.txt (UTS #39), do not edit.

Version {version}, {date}, for the characters that can be in a nick, or in one in capitals or without case.
The data are Unicode's, under the licence that follows.

{licence}"""

from functools import cache

# A prototype, then all that look like it.
_TABLE = """\\
{table}
"""


@cache
def table() -> dict[int, str]:
    """For `str.translate`, on text in NFD: the prototype, in NFD, of each character that is not its own."""
    images = {{}}
    for line in _TABLE.split("\\n")[:-1]:
        image, alike = line.split(" ")
        for character in alike:
            images[ord(character)] = image
    return images
'''
LICENCE = """\
UNICODE LICENSE V3

COPYRIGHT AND PERMISSION NOTICE

Copyright © 1991-{year} Unicode, Inc.

NOTICE TO USER: Carefully read the following legal agreement. BY DOWNLOADING, INSTALLING, COPYING OR OTHERWISE
USING DATA FILES, AND/OR SOFTWARE, YOU UNEQUIVOCALLY ACCEPT, AND AGREE TO BE BOUND BY, ALL OF THE TERMS AND
CONDITIONS OF THIS AGREEMENT. IF YOU DO NOT AGREE, DO NOT DOWNLOAD, INSTALL, COPY, DISTRIBUTE OR USE THE DATA
FILES OR SOFTWARE.

Permission is hereby granted, free of charge, to any person obtaining a copy of data files and any associated
documentation (the "Data Files") or software and any associated documentation (the "Software") to deal in the
Data Files or Software without restriction, including without limitation the rights to use, copy, modify, merge,
publish, distribute, and/or sell copies of the Data Files or Software, and to permit persons to whom the Data
Files or Software are furnished to do so, provided that either (a) this copyright and permission notice appear
with all copies of the Data Files or Software, or (b) this copyright and permission notice appear in associated
Documentation.

THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT OF
THIRD PARTY RIGHTS.

IN NO EVENT SHALL THE COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE BE LIABLE FOR ANY CLAIM, OR ANY
SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES, OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR
PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION
WITH THE USE OR PERFORMANCE OF THE DATA FILES OR SOFTWARE.

Except as contained in this notice, the name of a copyright holder shall not be used in advertising or otherwise
to promote the sale, use or other dealings in these Data Files or Software without prior written authorization
of the copyright holder.
"""


def in_names() -> set[str]:
    """Every character that the table is asked for, and a few more."""
    found: set[str] = set()
    for character in map(chr, range(sys.maxunicode + 1)):
        known = character in "-_." or unicode.category(character) in CATEGORIES
        if known and unicode.is_normalized("NFKC", character):
            forms = (character, character.upper(), character.casefold(), character.upper().casefold())
            found.update(*(unicode.normalize("NFD", form) for form in forms))
    return found


def prototypes(data: str) -> dict[str, str]:
    """All that the file says, until nothing changes any more."""
    table = {}
    for number, prototype in re.findall(r"^(\w+) ;\t([\w ]+) ;\tMA\t#", data, re.MULTILINE):
        table[int(number, 16)] = "".join(chr(int(number, 16)) for number in prototype.split())
    return {chr(number): settled(image, table) for number, image in table.items()}


def without_new(images: dict[str, str]) -> dict[str, str]:
    """With the first of its like for each prototype that this Python does not know."""
    others: dict[str, str] = {}
    for character, image in sorted(images.items()):
        if len(image) == 1 and unicodedata.category(image) == "Cn":
            others.setdefault(image, character)
    table = str.maketrans(others)
    return {character: image.translate(table) for character, image in images.items()}


def settled(image: str, table: dict[int, str]) -> str:
    after = unicode.normalize("NFD", unicode.normalize("NFD", image).translate(table))
    return image if after == image else settled(after, table)


def escaped(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in "-_."):
        return character
    return f"\\u{ord(character):04x}" if character <= "\uffff" else f"\\U{ord(character):08x}"


def rows(alike: dict[str, list[str]]) -> Iterator[str]:
    """The table's lines, none longer than 120."""
    for image, characters in sorted(alike.items()):
        row = start = "".join(map(escaped, image)) + " "
        for character in map(escaped, characters):
            if len(row) + len(character) > 120:
                yield row
                row = start
            row += character
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("path", type=Path, help="confusables.txt")
    data = parser.parse_args().path.read_text(encoding="utf-8-sig")
    version = re.search(r"^# Version: (\S+)$", data, re.MULTILINE)
    date = re.search(r"^# Date: (\d{4})(-\d\d-\d\d)", data, re.MULTILINE)
    if version is None or date is None:
        parser.error("not confusables.txt: it has no version, or no date")

    asked = in_names()
    by_image = defaultdict(list)
    images = {character: image for character, image in prototypes(data).items() if character in asked}
    for character, image in sorted(without_new(images).items()):
        if character != image:
            by_image[image].append(character)
    licence = LICENCE.format(year=date[1])
    module = HEADER.format(version=version[1], date=date[1] + date[2], licence=licence, table="\n".join(rows(by_image)))
    TARGET.write_text(module, encoding="utf-8")


if __name__ == "__main__":
    main()
