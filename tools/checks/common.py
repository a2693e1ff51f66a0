# SPDX-License-Identifier: BSD-2-Clause
"""What the checks share: which files belong to the project, and how a finding is printed."""
import os
import re
import sys

FOLDERS = ("include", "src", "run", "lab", "uplink", "tools", "tests", "bench", "examples")


def c_files(root, folders=FOLDERS, suffixes=(".c", ".h")):
    """Paths relative to root, sorted. Does not need git: the tree may be an unpacked archive."""
    found = []
    for folder in folders:
        for path, dirs, names in os.walk(os.path.join(root, folder)):
            dirs[:] = [d for d in dirs if not d.startswith((".", "build"))]
            found += [os.path.relpath(os.path.join(path, n), root) for n in names if n.endswith(suffixes)]
    return sorted(found)


def strip_comments(text):
    """C text with comments and the contents of string literals blanked; lines stay where they are."""
    out, i, n = [], 0, len(text)
    while i < n:
        if text.startswith("/*", i):
            end = text.find("*/", i + 2)
            end = n if end < 0 else end + 2
            out.append("".join(c if c == "\n" else " " for c in text[i:end]))
        elif text.startswith("//", i):
            end = text.find("\n", i)
            end = n if end < 0 else end
            out.append(" " * (end - i))
        elif text[i] in "\"'":
            end = i + 1
            while end < n and text[end] not in (text[i], "\n"):
                end += 2 if text[end] == "\\" else 1
            end = min(end + 1, n)
            out.append(text[i] + " " * (end - i - 2) + text[end - 1:end] if end - i > 1 else text[i:end])
        else:
            out.append(text[i])
            i += 1
            continue
        i = end
    return "".join(out)


class Findings:
    def __init__(self):
        self.count = 0

    def add(self, path, line, sentence):
        self.count += 1
        print(f"{path}:{line}: {sentence}")

    def finish(self, what):
        """Prints one closing line and ends the program."""
        if self.count:
            print(f"{self.count} finding{'s' if self.count > 1 else ''} against: {what}")
        else:
            print(f"ok: {what}")
        sys.exit(1 if self.count else 0)


SECTION = r"(?:[A-Z]\.)?\d+(?:\.\d+)*|appendix [A-Z](?:\.\d+)*"
CITATION = re.compile(rf"RFC[ -]?(\d{{3,5}})((?:(?:,| and|;)? (?:section )?(?:{SECTION})(?![\w]))*)")
SEPARATE = re.compile(SECTION)


def citations(text):
    """(RFC, section) of each citation; the section is empty if there is none"""
    # A citation may be broken over two lines of a comment.
    text = re.sub(r"\s*\n\s*(?:\*|//|#)?\s*", " ", text)
    for m in CITATION.finditer(text):
        sections = SEPARATE.findall(m.group(2))
        for section in sections or [""]:
            yield int(m.group(1)), section.rstrip(".")


def section_key(section):
    return [(0, int(p)) if p.isdigit() else (1, p) for p in re.split(r"[. ]", section) if p]


def listed_rfcs(path):
    """doc/rfcs.txt: "RFC number title" lines, each followed by indented "section title" lines"""
    rfcs, current = {}, None
    if not os.path.exists(path):
        return rfcs
    with open(path) as f:
        for line in f:
            line = line.split("#", 1)[0].rstrip()
            if not line:
                continue
            if not line[0].isspace():
                _, number, title = line.split(None, 2)
                current = rfcs[int(number)] = (title, {})
            else:
                section, _, title = line.strip().partition(" ")
                current[1][section] = title.strip()
    return rfcs
