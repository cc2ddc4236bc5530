"""The player: runs the model's program and answers calls. Nothing it says is a verdict.

It is used for one program, in a sandbox of its own. The program may do with this process what it
likes: it knows no expected value, and what it answers is read as plain data.
"""


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
    os.dup2(1, 2)  # descriptor 2 told of errors of starting; now it is /dev/null too

    def send(message):
        payload = json.dumps(message).encode()
        if len(payload) > most_bytes:
            payload = json.dumps({"raise": ["ValueError", "an answer of %d bytes" % len(payload)]}).encode()
        write_frame(payload)

    def receive():
        return json.loads(read_frame())

    peer = Peer(send, receive, None, True)
    peer.serve = serve(peer)
    write_frame(b"{}")  # ready
    while True:
        peer.answer(receive()["ask"])
