"""What can go wrong with a file, with its words: kinds of the errors in `anonp2p.errors`.

Names of files are in none of them: the user knows which file it is about.
"""

import errno
import os

from anonp2p.errors import Failed, NotAllowed, TorRefused


class FileUnreadable(Failed):
    sentence = "That file cannot be read: {detail}."


class NoRegularFile(Failed):
    sentence = "That is no file: a directory, a device or a pipe cannot be sent."


class FileTooLarge(Failed):
    sentence = "That file is larger than 2 GiB, which is the most that can be sent."


class FileChanged(Failed):
    sentence = "That file has changed since it was offered: it is offered no more."


class FileUnwritable(Failed):
    sentence = "The file cannot be written: {detail}."


class FileExists(Failed):
    sentence = "There is a file of that name already: give another path."


class PartForeign(Failed):
    sentence = (
        "There is a file of that name with .part at its end, which is not the beginning of this one: give another path."
    )


class NoPlainPart(Failed):
    sentence = "What has that name with .part at its end is no plain file of yours: give another path."


class NoNameLeft(Failed):
    sentence = "There are too many files of that name: give another path."


class SenderLied(Failed):
    sentence = "The sender sent something else than it had offered."


class SenderGone(Failed):
    sentence = "The sender has not been reached for 2 minutes: /accept again goes on where it was."


class OfferOver(Failed):
    sentence = "The sender offers that file no more."


class FileRefused(NotAllowed):
    sentence = "The sender does not give that file to you."


class CleanerMissing(Failed):
    sentence = "What removes traces from files, mat2, is not installed (Debian: apt install mat2)."


class CleanerUnable(Failed):
    sentence = "The traces of this kind of file are nothing that mat2 knows or can remove: nothing was sent."


class NoMemoryForCopy(Failed):
    sentence = "There is no place in memory for a copy of that file, as --clean needs: nothing was sent."


class OfferNeedsControl(TorRefused):
    sentence = (
        "Files are served and fetched with keys that Tor takes at its control port alone: name it with --control."
    )


class OfferKeyFiltered(TorRefused):
    about = (
        "a filter before it does not let the key pass by which a file is found; scripts/packaging has profiles for "
        "Whonix and Tails that do"
    )


def describe_failure(error: OSError | ValueError) -> str:
    """What the system says, in words of its own and without the path."""
    if not isinstance(error, OSError):
        return "its name holds a zero byte"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "there is no space left"
    return os.strerror(error.errno).lower() if error.errno else "the system says no more"
