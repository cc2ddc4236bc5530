#!/usr/bin/env python3
"""Fails if a C++ file breaks a rule of the tree: includes, printing, length. See CONTRIBUTING.md.

usage: check_layers.py      (in the project's folder)
"""

import pathlib
import re
import sys

# A folder of gdsd/ may include itself and those to its left; cli/ and tests/ may include them all.
LAYERS = (
    "base text data reward kernel cuda cuda_graph tensor denoiser masking sampler rollout advantage objective "
    "eval train "
    "bench diagnose"
).split()
TORCH_FREE = "base text data reward kernel cuda".split()
CODE = (".h", ".cpp", ".cuh", ".cu")
MOST_LINES = 300  # of a file
MOST_LINES_OF_FUNCTION = 60
MOST_LINES_OF_FORMULA = 40  # loss() of an objective

INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
TORCH = re.compile(r"(torch|ATen|c10)/")
PRINT = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(v?f?printf|f?puts|putchar|perror)\s*\(")


# What must not be taken for code.
TEXT = re.compile(
    r"//[^\n]*|/\*.*?\*/"  # comments
    r'|R"\(.*?\)"|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])'"  # strings, characters
    r"|^#.*?[^\\]$",  # directives
    re.S | re.M,
)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")


def functions(text):
    """(first line, lines, head) of every function in clang-formatted code, lambdas not counted.

    A body is a {…} in a namespace or class whose head has parentheses. Initialisers have no space
    before their brace, or stand after `=`.
    """
    code = TEXT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    scopes, start = [], 0  # of every open brace: whether it is a scope; where the head began
    for brace in re.finditer(r"[{};]", code):
        at = brace.start()
        inside_scopes = all(kind == "scope" for kind, *_ in scopes)
        head = code[start:at]
        if brace[0] == "{":
            is_block = code[at - 1].isspace() and not head.rstrip().endswith(("=", "(", ","))
            kind = "scope" if SCOPE.search(head) else "function" if "(" in head else "other"
            scopes.append((kind if inside_scopes and is_block else "inner", start, head))
            if is_block:
                start = at + 1
        elif brace[0] == "}":
            kind, begin, head = scopes.pop()
            if kind == "function":
                first = code.count("\n", 0, begin + len(head) - len(head.lstrip())) + 1
                yield first, code.count("\n", 0, at) + 2 - first, head
            if kind != "inner":
                start = at + 1
        elif inside_scopes:
            start = at + 1


def include_fault(layer, included):
    """Why a file of gdsd/<layer>/ must not include `included`, or None."""
    if layer in TORCH_FREE and TORCH.match(included):
        return f"{layer}/ must not include torch: <{included}>"
    folder, *rest = included.split("/")
    if folder in ("cli", "tests", "bench"):
        return f"{layer}/ must not include {folder}/"
    if folder == "gdsd":
        if rest[0] not in LAYERS:
            return f"gdsd/{rest[0]} is no layer"
        if LAYERS.index(rest[0]) > LAYERS.index(layer):
            return f"{layer}/ must not include {rest[0]}/, which stands to its right"
    return None


def faults(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > MOST_LINES:
        yield MOST_LINES + 1, f"{len(lines)} lines, at most {MOST_LINES}"
    for first, length, head in functions("\n".join(lines)):
        is_formula = path.parts[:2] == ("gdsd", "objective") and re.search(r"\bloss\(", head)
        most = MOST_LINES_OF_FORMULA if is_formula else MOST_LINES_OF_FUNCTION
        if length > most:
            yield first, f"a function of {length} lines, at most {most}"
    if path.parts[0] != "gdsd":
        return
    layer = path.parts[1] if len(path.parts) > 2 else ""
    if layer not in LAYERS:
        yield 1, f"gdsd/{layer} is no layer: it belongs in scripts/check_layers.py"
        return
    for number, line in enumerate(lines, 1):
        if include := INCLUDE.match(line):
            if fault := include_fault(layer, include[1]):
                yield number, fault
        if printing := PRINT.search(line.split("//")[0]):
            yield number, f"only cli/ and tests/ print: {printing[0].rstrip('( ')}"


def main():
    folders = [pathlib.Path(name) for name in ("gdsd", "cli", "tests", "bench")]
    paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix in CODE)
    found = [f"{path}:{number}: {fault}" for path in paths for number, fault in faults(path)]
    print("\n".join(found) or f"layers ok ({len(paths)} files)")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
