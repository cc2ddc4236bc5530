"""The player: runs the model's program and answers calls. Nothing it says is a verdict.

It is used for one program, in a sandbox of its own. The program may do with this process what it
likes: it knows no expected value, and what it answers is read as plain data.
"""


def quick_json():
    """json.loads and json.dumps, by the functions in C that they are made of: the module imports `re`,
    which takes longer than all else that a player does to start."""
    try:
        import _json

        class Context:
            strict, object_hook, object_pairs_hook, memo = False, None, None, {}
            parse_float, parse_int, parse_constant = float, int, float

        scan = _json.make_scanner(Context)
        quote = _json.encode_basestring_ascii
        chunks = _json.make_encoder(None, None, quote, None, ": ", ", ", False, False, True)
        loads, dumps = lambda data: scan(data.decode(), 0)[0], lambda x: "".join(chunks(x, 0))
        if loads(b'[{"a": -1.5}, NaN]')[0] == {"a": -1.5} and dumps({"a": [None, 1e99]}) == '{"a": [null, 1e+99]}':
            return loads, dumps
    except (ImportError, AttributeError, TypeError):
        pass  # another Python than those that have these
    import json

    return json.loads, json.dumps


def bounded_by(limits):
    import resource

    for name, value in limits:
        number = getattr(resource, "RLIMIT_" + name)
        resource.setrlimit(number, (value, value))


def run_program(source):
    """The namespace of the program, which is a module, as dataclasses want it."""
    module = type(sys)("program")
    sys.modules["program"] = module
    exec(compile(source, "<program>", "exec", dont_inherit=True), module.__dict__)
    return module.__dict__


def next_items(iterator, most):
    items = []
    for _ in range(most):
        try:
            items.append(next(iterator))
        except StopIteration:
            return [items, True]
    return [items, False]


def serve(peer):
    def load(source, names):
        namespace = run_program(source)
        found = {}
        for name in names:
            if name in namespace:
                found[name] = namespace[name]
        return found

    def together(source, test):
        namespace = {}
        exec(source, namespace)
        exec(test, namespace)
        return True

    on_object = {
        "call": lambda thing, *args, **kwargs: thing(*args, **kwargs),
        "attr": getattr,
        "len": len,
        "bool": bool,
        "iter": iter,
        "next": next_items,
        "item": lambda thing, key: thing[key],
        "str": str,
        "repr": repr,
    }

    def answer(op, number, args, kwargs):
        if op == "load":
            return load(*args)
        if op == "together":
            return together(*args)
        return on_object[op](peer.mine[number], *args, **kwargs)

    return answer


def play(limits, most_bytes):
    bounded_by(limits)
    loads, dumps = quick_json()
    os.dup2(1, 2)  # descriptor 2 told of errors of starting; now it is /dev/null too

    def send(message):
        payload = dumps(message).encode()
        if len(payload) > most_bytes:
            payload = dumps({"raise": ["ValueError", "an answer of %d bytes" % len(payload)]}).encode()
        write_frame(payload)

    def receive():
        return loads(read_frame())

    peer = Peer(send, receive, None, True)
    peer.serve = serve(peer)
    write_frame(b"{}")  # ready
    while True:
        peer.answer(receive()["ask"])
