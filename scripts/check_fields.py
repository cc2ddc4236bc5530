#!/usr/bin/env python3
"""Fails if no code reads an option: a config key that does nothing is a lie to the user.

usage: check_fields.py      (in the project's folder)

For every f("name", member, …) in a fields() list, gdsd/ or cli/ must read `.member` somewhere in a
file that sees the struct; the struct's own functions read plain `member`. Lists, validate() and
assignments do not count. This reads text, not types: of x in `x.member` it knows only what the file
or a header that it includes declares, `const SamplerOptions& x`, and gives an x of unknown type the
benefit of the doubt.
"""

import pathlib
import re
import sys

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
STRUCT = re.compile(r"\b(?:struct|class)\s+(\w+)\s*(?:final\s*)?(?::\s*(?:public\s+)?(\w+)\s*)?\{")
FIELD = re.compile(r'\bf\(\s*"(\w+)"\s*,\s*([\w.]+)\s*,')
READ = r"\b(?!\s*(?:=[^=]|\())"  # neither assigned nor called


def blank(match):
    """White space of the same length and lines."""
    return re.sub(r"[^\n]", " ", match[0])


def end_of_body(text, start):
    """The end of the {…} that opens at or after `start`."""
    depth = 0
    for at in range(text.index("{", start), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def without_bodies(code, pattern):
    """`code` with the functions that match, up to their opening brace, blanked."""
    for match in list(re.finditer(pattern, code)):
        body = slice(match.start(), end_of_body(code, match.start()))
        code = code[: body.start] + re.sub(r"[^\n]", " ", code[body]) + code[body.stop :]
    return code


class File:
    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.bare = COMMENT_OR_STRING.sub(blank, self.text)
        self.code = without_bodies(
            self.bare, r"\bvoid\s+(\w+::)?(fields|validate)\s*\([^;{}]*\)\s*(const\s*)?\{"
        )
        self.includes = re.findall(r'^\s*#\s*include\s*"([^"]+)"', self.text, re.M)


class Struct:
    def __init__(self, file, match):
        self.file, self.name, self.base = file, match[1], match[2]
        body = slice(match.start(), end_of_body(file.bare, match.start()))
        self.code = file.code[body]
        self.fields = []  # (member, line)
        lists = re.search(r"\bvoid\s+fields\s*\([^;{}]*\)\s*\{", file.bare[body])
        if lists:
            start = body.start + lists.start()
            stop = end_of_body(file.bare, start)
            for field in FIELD.finditer(file.text, start, stop):
                line = file.text.count("\n", 0, field.start()) + 1
                self.fields.append((field[2].split(".")[-1], line))


def seen_from(files):
    """path → the paths that it includes, directly or not, and itself."""
    closure = {}
    for path in files:
        seen, todo = set(), [path]
        while todo:
            here = todo.pop()
            if here in files and here not in seen:
                seen.add(here)
                todo += files[here].includes
        closure[path] = seen
    return closure


def kin(struct, structs):
    """The names of `struct` and of what inherits from it."""
    names = {struct.name}
    while more := {s.name for s in structs if s.base in names} - names:
        names |= more
    return names


def declared(code, name, types):
    """Which of `types` a variable or member `name` is declared with in `code`."""
    found = re.findall(rf"\b(\w+)(?:\s*[&*]+\s*|\s+){name}\b\s*[;,)={{:(]", code)
    return set(found) & types


class Project:
    def __init__(self, paths):
        self.files = {str(path): File(path) for path in paths}
        self.sees = seen_from(self.files)
        every = [Struct(f, m) for f in self.files.values() for m in STRUCT.finditer(f.bare)]
        self.types = {s.name for s in every}
        self.options = [s for s in every if s.fields]

    def types_of(self, name, path):
        """The structs that `name` may be in a file: as it says, or its header, or all it sees."""
        header = str(pathlib.Path(path).with_suffix(".h"))
        for places in ([path], [header], self.sees[path]):
            codes = [self.files[place].code for place in places if place in self.files]
            if found := set().union(*(declared(code, name, self.types) for code in codes)):
                return found
        return set()

    def is_read(self, struct, member):
        family = kin(struct, self.options)
        for path, file in self.files.items():
            if str(struct.file.path) not in self.sees[path]:
                continue
            for read in re.finditer(rf"(\w+)?[\])]?(?:\.|->){member}{READ}", file.code):
                of = self.types_of(read[1], path) if read[1] else set()
                if not of or of & family:
                    return True
            for own in re.finditer(rf"\b{struct.name}::\w+\s*\([^;{{}}]*\)[^;{{}}]*\{{", file.code):
                body = file.code[own.start() : end_of_body(file.code, own.start())]
                if re.search(rf"(?<![\w.>]){member}{READ}", body):
                    return True
        # In the struct's own text, anything past the member's declaration.
        own = re.sub(rf"[\w:<>]+(\s*[&*]+\s*|\s+){member}\b\s*([;={{])", r" \2", struct.code)
        return bool(re.search(rf"(?<![\w.>]){member}{READ}", own))


def main():
    folders = [pathlib.Path(name) for name in ("gdsd", "cli")]
    paths = [p for f in folders for p in sorted(f.rglob("*")) if p.suffix in (".h", ".cpp")]
    project = Project(paths)
    faults = [
        f"{s.file.path}:{line}: {s.name}::{member} is an option that no code reads"
        for s in project.options
        for member, line in s.fields
        if not project.is_read(s, member)
    ]
    count = sum(len(s.fields) for s in project.options)
    print("\n".join(faults) or f"fields ok ({count} in {len(project.options)} structs)")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
