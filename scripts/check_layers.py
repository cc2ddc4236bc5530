#!/usr/bin/env python3
"""Fails if a C++ file breaks a rule of the tree: includes, printing, length. See docs/design.md.

usage: check_layers.py      (in the project's folder)
"""

import pathlib
import re
import sys

# A folder of gdsd/ may include itself and those to its left; cli/ and tests/ may include them all.
LAYERS = (
    "base text data reward tensor denoiser masking sampler rollout advantage objective eval train"
).split()
TORCH_FREE = "base text data reward".split()
MOST_LINES = 300

INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')
TORCH = re.compile(r"(torch|ATen|c10)/")
PRINT = re.compile(r"\bstd::(cout|cerr|clog)\b|\b(v?f?printf|f?puts|putchar|perror)\s*\(")


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
    folders = [pathlib.Path(name) for name in ("gdsd", "cli", "tests")]
    paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix in (".h", ".cpp"))
    found = [f"{path}:{number}: {fault}" for path in paths for number, fault in faults(path)]
    print("\n".join(found) or f"layers ok ({len(paths)} files)")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
