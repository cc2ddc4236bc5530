#!/usr/bin/env python3
"""Writes gdsd/text/later_letters.inc: letters and numbers that Unicode 14 had not assigned.

usage: later_letters.py CLASSES.json > gdsd/text/later_letters.inc

CLASSES.json has inclusive ranges of code points: {"python_regex": {"L": [[65, 90], ...], "N": ...},
"oniguruma": {...}}. Written are those of the first that the second lacks.
"""

import json
import sys
import textwrap


def points(ranges):
    return {c for first, last in ranges for c in range(first, last + 1)}


def ranges(codes):
    found = []
    for c in sorted(codes):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        classes = json.load(file)
    print("// Made by scripts/later_letters.py.")
    for name, key in (("kLaterLetters", "L"), ("kLaterNumbers", "N")):
        later = points(classes["python_regex"][key]) - points(classes["oniguruma"][key])
        assert not points(classes["oniguruma"][key]) - points(classes["python_regex"][key])
        found = [f"{{{first:#x}, {last:#x}}}" for first, last in ranges(later)]
        print(f"constexpr CodeRange {name}[] = {{")
        print(textwrap.fill(", ".join(found), 98, break_on_hyphens=False))
        print("};")


if __name__ == "__main__":
    main()
