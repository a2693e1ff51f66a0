# SPDX-License-Identifier: BSD-2-Clause
"""names.py - doc/names.txt read, and its symbols found in the tree

Definitions are found by the shape that the house style gives them: what is at file scope starts in the first column. An index of all of
them is made in one pass; members, enumerators and rows of tables are looked for in the file that doc/names.txt names.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "checks"))
from common import c_files

SOURCE = "doc/names.txt"
KINDS = ("function", "structure", "member", "constant", "table", "list", "call", "option", "file", "mechanism")
TYPE = re.compile(r"^(?:typedef )?(?:struct|union|enum) (\w+) \{")
DEFINE = re.compile(r"^#\s*define (\w+)")
OBJECT = re.compile(r"^(?:static |extern )?(?:const |volatile )*[\w ]+?[ *](\w+)(?:\[[^]]*\])* = ")
FUNCTION = re.compile(r"^[A-Za-z_][\w *]*?[ *](\w+)\((?!\()")
WORD = re.compile(r"\w+")


class Problem(Exception):
    pass


def read_lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
        return f.read().split("\n")


def is_definition(lines, at):
    """Does the function whose declarator starts at @at have a body?"""
    for line in lines[at:at + 12]:
        line = line.partition("/*")[0].rstrip()
        if line.endswith(";"):
            return False
        if line.startswith("{") or line.endswith("{") or line.endswith("}"):
            return True
    return False


def definitions(lines):
    """(symbol, line number) of what is defined at file scope"""
    for i, line in enumerate(lines):
        if not line or line[0] in " \t}{/*":
            continue
        m = TYPE.match(line) or DEFINE.match(line) or OBJECT.match(line)
        if m:
            yield m.group(1), i + 1
            continue
        m = FUNCTION.match(line)
        if m and is_definition(lines, i):
            yield m.group(1), i + 1
        elif line.startswith("test(") or line.startswith("TEST("):
            yield WORD.findall(line)[1], i + 1


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = [p for p in c_files(root)]
        self.lines = {}
        self.index = {}
        for path in self.files:
            self.lines[path] = read_lines(root, path)
            for symbol, number in definitions(self.lines[path]):
                self.index.setdefault(symbol, []).append((path, number))

    def find(self, where):
        """@where: SYMBOL, PATH:SYMBOL or PATH. Returns (path, line); line is 0 for a file as a whole."""
        path, colon, symbol = where.rpartition(":")
        if not colon and ("/" in where or "." in where):
            if not os.path.exists(os.path.join(self.root, where)):
                raise Problem(f"there is no file {where}")
            return where, 0
        if not colon:
            places = [p for p in self.index.get(symbol, []) if "_test.c" not in p[0]] or self.index.get(symbol, [])
            # A definition counts, not the macro or the double of the same name that a program brings along.
            ours = [p for p in places if p[0].startswith("src/")] or places
            if not ours:
                raise Problem(f"nothing defines {symbol}")
            if len(ours) > 1:
                raise Problem(f"{symbol} is defined more than once ({', '.join(p for p, _ in ours)}): say PATH:{symbol}")
            return ours[0]
        if path not in self.lines:
            if not os.path.exists(os.path.join(self.root, path)):
                raise Problem(f"there is no file {path}")
            self.lines[path] = read_lines(self.root, path)
        for place in self.index.get(symbol, []):
            if place[0] == path:
                return place
        word = re.escape(symbol)
        # A declaration or a row first, any other code next, text last.
        for shape in (rf"^\s+(?!\*|//)[^/;]*\b{word}\b(\[[^]]*\])?\s*(;|,|=|:|\)\()", rf"^(?!\s*(\*|/\*|//))[^/]*\b{word}\b", rf"\b{word}\b"):
            for number, line in enumerate(self.lines[path], 1):
                if re.search(shape, line):
                    return path, number
        raise Problem(f"{path} has no {symbol}")


class Name:
    """One row. state: "here", "history" or "not yet"; place and test are (path, line) or None."""

    def __init__(self, fields, mechanism, line):
        if len(fields) != 5:
            raise Problem(f"{len(fields)} fields instead of 5: NAME | KIND | WHERE | TEST | SENTENCE")
        self.name, self.kind, self.where, self.test_name, self.sentence = fields
        self.mechanism, self.line = mechanism, line
        self.state, self.place, self.test = "here", None, None
        if self.kind not in KINDS:
            raise Problem(f"kind '{self.kind}' is none of {', '.join(KINDS)}")
        for word in ("history", "not yet"):
            if self.where == word or self.where.startswith(word + ", "):
                self.state, self.where = word, self.where[len(word):].lstrip(", ")
        if not self.sentence.endswith("."):
            raise Problem("the sentence lacks its full stop")

    def resolve(self, tree):
        if self.where:
            self.place = tree.find(self.where)
        elif self.state == "here":
            raise Problem("says neither where it is nor \"history\" nor \"not yet\"")
        if self.test_name != "-":
            self.test = tree.find(self.test_name)
        elif self.state == "here":
            raise Problem("has no test")


def load(root, report):
    """The rows, resolved; report(line, sentence) is called for what is wrong. Rows that are wrong are left out."""
    tree, rows, seen, mechanism = Tree(root), [], {}, None
    with open(os.path.join(root, SOURCE), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            if line.startswith("["):
                mechanism = line.strip("[]")
                continue
            try:
                row = Name([field.strip() for field in line.split("|")], mechanism, number)
                if row.name in seen:
                    raise Problem(f"{row.name} was named in line {seen[row.name]}")
                row.resolve(tree)
            except Problem as e:
                report(number, f"{line.split('|')[0].strip()}: {e}")
                continue
            seen[row.name] = number
            rows.append(row)
    return tree, rows


def place_text(place):
    return "" if place is None else place[0] if not place[1] else f"{place[0]}:{place[1]}"
