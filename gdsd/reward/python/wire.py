"""Frames between processes, and values as plain data: what judge and player have in common; remote.py is
the rest of it.

A frame is its length, four bytes, little-endian, and as many bytes of JSON. A value in it is JSON
too: None, bool, str, float, small int and list stand for themselves, all else is {"t": type, "v":
content}. Reading builds exact builtin types and nothing else; nothing that is read is ever evaluated.
"""

import builtins
import os
import sys

DEEPEST = 64  # levels of a value
LONGEST = 1_000_000  # items taken from an iterator
INPUT, OUTPUT = 3, 4  # descriptors of the frames


def read_exactly(size):
    parts = []
    while size:
        part = os.read(INPUT, min(size, 1 << 20))
        if not part:
            os._exit(0)  # the host is gone
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_frame():
    return read_exactly(int.from_bytes(read_exactly(4), "little"))


def write_frame(payload):
    rest = memoryview(len(payload).to_bytes(4, "little") + payload)
    while rest:
        rest = rest[os.write(OUTPUT, rest) :]


# The types that may be named; a name is enough, the type is the reader's own.
TYPES = {
    t.__name__: t
    for t in (int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, object)
}
VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
FUNCTION, BUILTIN = type(lambda: 0), type(len)


class Unknown(Exception):
    """A value that cannot be passed, or a message that is not one."""


def many(items):
    if type(items) is not list:
        raise Unknown("not a list")
    return items


def text(value):
    if type(value) is not str:
        raise Unknown("not a text")
    return value


def imported(module, name):
    return getattr(__import__(text(module), fromlist=[""]), text(name))


def first_of(iterator, most):
    out = []
    for item in iterator:
        if len(out) == most:
            raise ValueError("an iterator of more than %d items" % most)
        out.append(item)
    return out


class Peer:
    """One end of the talk. `serve(op, object, args, kwargs)` is what the other end may ask for."""

    def __init__(self, send, receive, serve, may_name):
        self.send, self.receive, self.serve, self.may_name = send, receive, serve, may_name
        self.mine, self.numbers, self.theirs = [], {}, {}
        self.asked = 0  # how often
        self.told = False  # whether a method of an object learned of something

    def number(self, thing):
        if id(thing) not in self.numbers:
            self.numbers[id(thing)] = len(self.mine)
            self.mine.append(thing)  # keeps it, so that its id stays its own
        return self.numbers[id(thing)]

    # Values to JSON.

    def encode(self, x, depth=0):
        kind = type(x)
        if x is None or kind is bool or kind is str or kind is float:
            return x
        if depth > DEEPEST:
            raise ValueError("a value nested more than %d levels" % DEEPEST)
        if isinstance(x, int):
            x = int.__int__(x)
            return x if -(2**63) <= x < 2**63 else {"t": "int", "v": hex(x)}
        if isinstance(x, str):
            return str.__str__(x)
        if isinstance(x, float):
            return float.__float__(x)
        if isinstance(x, list):
            return [self.encode(v, depth + 1) for v in list.__iter__(x)]
        return self.encode_tagged(x, depth + 1)

    def encode_tagged(self, x, depth):
        def tagged(tag, items):
            return {"t": tag, "v": [self.encode(v, depth) for v in items]}

        for base in (tuple, set, frozenset):
            if isinstance(x, base):
                return tagged(base.__name__, base.__iter__(x))
        if isinstance(x, dict):
            return tagged("dict", [[k, v] for k, v in dict.items(x)])
        if isinstance(x, (bytes, bytearray)):
            return {"t": "bytes" if isinstance(x, bytes) else "bytearray", "v": x.hex()}
        if isinstance(x, complex):
            return tagged("complex", [x.real, x.imag])
        if isinstance(x, range):
            return tagged("range", [x.start, x.stop, x.step])
        if type(x) in VIEWS:
            return tagged(VIEWS[type(x)], map(list, x) if VIEWS[type(x)] == "items" else x)
        for module, name in (("fractions", "Fraction"), ("decimal", "Decimal"), ("collections", "deque")):
            found = getattr(sys.modules.get(module), name, None)
            if isinstance(found, type) and isinstance(x, found):
                parts = {"Fraction": lambda: [x.numerator, x.denominator], "Decimal": lambda: [str(x)]}
                return tagged(name, parts.get(name, lambda: x)())
        return self.encode_object(x, depth)

    def encode_object(self, x, depth):
        if type(x) is Remote:
            return {"t": "yours", "v": x._number}
        if isinstance(x, type) and TYPES.get(x.__name__) is x:
            return {"t": "type", "v": x.__name__}
        is_iterator = hasattr(type(x), "__next__")
        if self.may_name:  # any object can be called and asked for its parts
            return {"t": "stream" if is_iterator else "object", "v": self.number(x)}
        if is_iterator:
            return {"t": "iter", "v": [self.encode(v, depth) for v in first_of(x, LONGEST)]}
        if type(x) is BUILTIN and x.__self__ is sys.modules.get(x.__module__):
            return {"t": "name", "v": [x.__module__, x.__name__]}
        if type(x) is FUNCTION:
            return {"t": "object", "v": self.number(x)}
        raise TypeError("a %s cannot be passed to the program" % type(x).__name__)

    # JSON to values.

    def decode(self, x):
        kind = type(x)
        if kind is list:
            return [self.decode(v) for v in x]
        if kind is not dict:
            return x
        tag, content = text(x.get("t")), x.get("v")
        if tag in ("int", "bytes", "bytearray", "type"):
            content = text(content)
            if tag == "int":
                return int(content, 16)
            if tag == "type":
                return TYPES[content]
            return TYPES[tag].fromhex(content)
        if tag in ("object", "yours", "stream"):
            return self.decode_object(tag, content)
        if tag == "name" and self.may_name:
            return imported(*many(content))
        return self.decode_items(tag, [self.decode(v) for v in many(content)])

    def decode_object(self, tag, number):
        if type(number) is not int or number < 0:
            raise Unknown("not an object")
        if tag == "yours":
            return self.mine[number]
        if tag == "stream":
            return self.stream(number)
        if number not in self.theirs:
            self.theirs[number] = Remote(self, number)
        return self.theirs[number]

    def stream(self, number):
        """The items of an iterator of the other side, more and more at a time."""
        size, taken, done = 4, 0, False
        while not done:
            items, done = self.ask("next", number, [size])
            if done is not True and len(items) != size:
                raise Unknown("not the next items")
            yield from items
            size, taken = min(2 * size, 1024), taken + size
            if taken > LONGEST:
                raise ValueError("an iterator of more than %d items" % LONGEST)

    def decode_items(self, tag, items):
        if tag in ("tuple", "set", "frozenset", "range", "complex"):
            return TYPES[tag](*items) if tag in ("range", "complex") else TYPES[tag](items)
        if tag == "dict":
            return {k: v for k, v in map(many, items)}
        if tag == "iter":
            return iter(items)
        if tag == "keys":
            return dict.fromkeys(items).keys()
        if tag == "values":
            return dict(enumerate(items)).values()
        if tag == "items":
            return {k: v for k, v in map(many, items)}.items()
        if tag == "Fraction":
            return imported("fractions", "Fraction")(*items)
        if tag == "Decimal":
            return imported("decimal", "Decimal")(text(*items))
        if tag == "deque":
            return imported("collections", "deque")(items)
        raise Unknown("no such type")

    # Talk.

    def ask(self, op, number, args=(), kwargs=None):
        self.asked += 1
        kwargs = kwargs or {}
        request = {"op": op, "on": number, "args": [self.encode(a) for a in args]}
        request["kwargs"] = {k: self.encode(v) for k, v in kwargs.items()}
        self.send({"ask": request})
        reply = self.receive()
        while "ask" in reply:
            self.answer(reply["ask"])
            reply = self.receive()
        if "raise" in reply:
            raise failure(*many(reply["raise"]))
        value = self.decode(reply.get("value"))
        # Only then is it what the function is for: one that empties `a` and returns [] is not one
        # whose result is sorted(a).
        if value is None and "changed" in reply:
            for old, new in zip([*args, *kwargs.values()], many(reply["changed"])):
                copy_back(old, self.decode(new))
        return value

    def answer(self, request):
        try:
            args = [self.decode(a) for a in request["args"]]
            kwargs = {text(k): self.decode(v) for k, v in request["kwargs"].items()}
            value = self.serve(request["op"], request["on"], args, kwargs)
            reply = {"value": self.encode(value)}
            given = [*args, *kwargs.values()]
            if value is None and any(isinstance(a, CHANGEABLE) for a in given):
                before = [*request["args"], *request["kwargs"].values()]
                after = [self.encode(a) if isinstance(a, CHANGEABLE) else None for a in given]
                if any(a is not None and a != b for a, b in zip(after, before)):
                    reply["changed"] = after
        except BaseException as error:
            reply = {"raise": description(error)}
        self.send(reply)
