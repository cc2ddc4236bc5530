#!/usr/bin/env python3
"""Fails if no code reads an option: a config key that does nothing is a lie to the user.

usage: check_fields.py      (in the project's folder)

For every f("name", member, …) in a fields() list, gdsd/ or cli/ must read `.member` somewhere in a
file that sees the struct; the struct's own functions read plain `member`. Lists, validate() and
assignments do not count. This reads text, not types: of x in `x.member` it knows what the file
declares, `const SamplerOptions& x`, and what options structs hold, `SamplerOptions sampler;`, and
gives anything else the benefit of the doubt.
"""

import pathlib
import re
import sys

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)
STRUCT = re.compile(r"\b(?:struct|class)\s+(\w+)\s*(?:final\s*)?(?::\s*(?:public\s+)?(\w+)\s*)?\{")
FIELD = re.compile(r'\bf\(\s*"(\w+)"\s*,\s*([\w.]+)\s*,')
ASSIGNED = r"(?!\s*=[^=])"


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


def is_read(struct, member, files, sees, structs):
    family, types = kin(struct, structs), {s.name for s in structs}
    holders = "\n".join(s.code for s in structs)
    for path, file in files.items():
        if str(struct.file.path) not in sees[path]:
            continue
        for read in re.finditer(rf"(\w+)?[\])]?(?:\.|->){member}\b{ASSIGNED}", file.code):
            of = read[1] and (
                declared(file.code, read[1], types) or declared(holders, read[1], types)
            )
            if not of or of & family:
                return True
        for own in re.finditer(rf"\b{struct.name}::\w+\s*\([^;{{}}]*\)[^;{{}}]*\{{", file.code):
            body = file.code[own.start() : end_of_body(file.code, own.start())]
            if re.search(rf"(?<![\w.>]){member}\b{ASSIGNED}", body):
                return True
    # In the struct's own text, anything past the member's declaration.
    own = re.sub(rf"[\w:<>]+(\s*[&*]+\s*|\s+){member}\b\s*([;={{])", r" \2", struct.code)
    return bool(re.search(rf"(?<![\w.>]){member}\b{ASSIGNED}", own))


def main():
    paths = [p for folder in ("gdsd", "cli") for p in sorted(pathlib.Path(folder).rglob("*"))]
    files = {str(p): File(p) for p in paths if p.suffix in (".h", ".cpp")}
    structs = [Struct(file, m) for file in files.values() for m in STRUCT.finditer(file.bare)]
    structs = [s for s in structs if s.fields]
    sees = seen_from(files)
    faults = [
        f"{s.file.path}:{line}: {s.name}::{member} is an option that no code reads"
        for s in structs
        for member, line in s.fields
        if not is_read(s, member, files, sees, structs)
    ]
    count = sum(len(s.fields) for s in structs)
    print("\n".join(faults) or f"fields ok ({count} in {len(structs)} structs)")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
