"""Objects and exceptions of the other side, and arguments that it changed."""

# What builtin types say of themselves by yes or no: nobody's word for it is taken.
PREDICATES = {
    n
    for t in (str, bytes, set, frozenset, float, int)
    for n in dir(t)
    if n.startswith("is") or n in ("startswith", "endswith")
}


class Remote:
    """An object of the other side. It is equal to itself alone, whatever its class says."""

    __slots__ = ("_peer", "_number", "_is_part")

    def __init__(self, peer, number):
        self._peer, self._number, self._is_part = peer, number, False

    def _ask(self, op, *args):
        return self._peer.ask(op, self._number, args)

    def __call__(self, *args, **kwargs):
        self._peer.told |= self._is_part and bool(args or kwargs)
        return self._peer.ask("call", self._number, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name in PREDICATES:
            raise AttributeError("%s of an object of the program is not asked" % name)
        part = self._ask("attr", name)
        if type(part) is Remote:
            part._is_part = True
        return part

    def __len__(self):
        return self._ask("len")

    def __bool__(self):
        return self._ask("bool") is True

    def __iter__(self):
        return self._ask("iter")

    def __getitem__(self, key):
        return self._ask("item", key)

    def __str__(self):
        return text(self._ask("str"))

    def __repr__(self):
        return text(self._ask("repr"))


CHANGEABLE = (list, dict, set, tuple)


def copy_back(old, new):
    """Makes the list, dict, set or tuple `old` contain what `new` does; returns what stands for `new`."""
    if type(old) is not type(new):
        return new
    if type(old) is list:
        old[:] = [copy_back(*p) for p in zip(old, new)] + new[len(old) :]
    elif type(old) is dict:
        changed = {k: copy_back(old[k], v) if k in old else v for k, v in new.items()}
        old.clear()
        old.update(changed)
    elif type(old) is set:
        old.clear()
        old.update(new)
    elif type(old) is tuple and len(old) == len(new):
        for p in zip(old, new):
            copy_back(*p)
    else:
        return new
    return old


def description(error):
    """The nearest builtin class of an exception, and what it says."""
    name = next((c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"), "Exception")
    args = getattr(error, "args", ())
    try:
        said = args[0] if len(args) == 1 and type(args[0]) is str else str(error)
    except BaseException:
        said = ""
    return [name, said[:1000]]


def failure(name, said):
    """That exception again. Those that end loops without a word are made a RuntimeError."""
    kind = getattr(builtins, text(name), None)
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        kind = RuntimeError
    if issubclass(kind, (StopIteration, StopAsyncIteration, GeneratorExit, Warning)):
        kind = RuntimeError
    try:
        return kind(text(said))
    except TypeError:  # UnicodeError's children want more
        return ValueError(said)
