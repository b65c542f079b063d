"""What stands in a folder, to tell whether anything has been changed there."""

import hashlib
import os


def tree(folder):
    """{path below the folder: what it is, to the byte and the time of its last change}."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(place, name)
            status = os.lstat(path)
            content = None
            if name in files and os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            found[path] = (status.st_mode, status.st_uid, status.st_mtime_ns, content)
    return found


def contents(folder):
    """{path below the folder: what is in it}, whenever and by whom it was written."""
    return {path: (mode, content) for path, (mode, _, _, content) in tree(folder).items()}
