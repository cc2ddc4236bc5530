"""The judge: runs the tests, in a process that never runs the program.

Names of the program are proxies of the player's objects; calls go to the player and come back as plain
data. Every job is done by a fork of this process, so that no test sees another's traces.
"""

import ast
import json
import resource

# What tests take from the standard library, sometimes without importing it themselves.
MODULES = (
    "math cmath re random string collections itertools functools heapq bisect operator copy json"
    " datetime time statistics fractions decimal typing sys array"
).split()
# Of these all that is public but LEFT; names of the others, `add` or `mean`, are left to programs.
LEFT = set("compress count cycle repeat merge cast final".split())
WHOLE = "math cmath itertools functools collections heapq bisect fractions decimal typing".split()
FUNCTIONS = {"copy": "deepcopy", "operator": "itemgetter attrgetter methodcaller"}


def trusted_names():
    """By name, what is the judge's own even if the program defines it: else a program could redefine
    the `sorted` that a test compares with."""
    modules = {m: __import__(m) for m in MODULES}
    names = {}
    for m in WHOLE:
        public = getattr(modules[m], "__all__", None) or [n for n in dir(modules[m]) if n[0] != "_"]
        names.update((n, getattr(modules[m], n)) for n in public if n not in LEFT)
    for m, functions in FUNCTIONS.items():
        names.update((n, getattr(modules[m], n)) for n in functions.split())
    return {**names, **{n: getattr(builtins, n) for n in dir(builtins)}, **modules}


def names_wanted(tree):
    """The names that a test reads and does not make itself."""
    nodes = list(ast.walk(tree))
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    made = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    made |= {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    made |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    for n in nodes:
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            made |= {(a.asname or a.name).split(".")[0] for a in n.names}
    return {n for n in read - made if not n.startswith("__")}


def namespace_of(wanted, offered, trusted):
    """The program's names for one test, and whether a plain value is among them. A trusted name is the
    program's only where it is all that the test asks of the program: `assert sum(10, 15) == 6` about a
    program that defines `sum`. Of several, modules aside, nobody knows which is asked for."""
    shared = wanted & offered.keys()
    special = shared & trusted.keys()
    asked = shared - special
    if not asked:
        asked = special if len(special) == 1 else special - set(MODULES)
        asked = asked if len(asked) == 1 else set()
    program = {n: offered[n] for n in asked}
    own = {n: trusted[n] for n in special - asked}
    return {"__name__": "__main__", **own, **program}, any(type(v) is not Remote for v in program.values())


def compiled(source, name):
    tree = ast.parse(source)
    return names_wanted(tree), compile(tree, name, "exec")


def run_test(wanted, code, peer, offered, trusted):
    """What is wrong, or an empty text."""
    if type(code) is str:
        return code
    namespace, has_value = namespace_of(wanted, offered, trusted)
    before = peer.asked
    try:
        exec(code, namespace)
    except BaseException as error:
        return of_error(error)
    return "" if has_value or peer.asked > before else "the test asks nothing of the program"


def of_error(error):
    """A text that UTF-8 can hold."""
    name, said = description(error)
    return (name + ": " + said if said else name)[:300].encode("utf-8", "backslashreplace").decode()


def report(kind, content):
    write_frame(kind + json.dumps(content).encode())


def receive():
    """What the player says. b"X": it is gone."""
    frame = read_frame()
    if frame[:1] != b"A":
        os._exit(1)
    try:
        message = json.loads(frame[1:])
    except (ValueError, RecursionError) as error:
        raise Unknown("the program wrote into the protocol") from error
    if type(message) is not dict:
        raise Unknown("the program wrote into the protocol")
    return message


def serve_function(peer):
    def answer(op, number, args, kwargs):
        function = peer.mine[number]
        if op != "call" or type(function) is not FUNCTION:
            raise TypeError("functions of a test can be called, nothing else")
        return function(*args, **kwargs)

    return answer


def run_tests(job, trusted):
    tests = []
    for i, source in enumerate(job["tests"]):
        try:
            tests.append(compiled(source, "<test %d>" % i))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            tests.append((set(), "the test is no Python: " + of_error(error)))
    peer = Peer(lambda message: report(b"C", message), receive, None, False)
    peer.serve = serve_function(peer)
    names = sorted(set().union(*(wanted for wanted, _ in tests)))
    try:
        offered = peer.ask("load", 0, [job["program"], names])
        if type(offered) is not dict:
            raise Unknown("the program wrote into the protocol")
        error = ""
    except BaseException as e:
        error = of_error(e)
    report(b"B", None)
    for wanted, code in tests:
        if peer.told:  # what it was told may be what the next test expects
            report(b"N", None)
            return
        said = error or run_test(wanted, code, peer, offered, trusted)
        report(b"V", {"passed": not said, "message": said})


def parse(source):
    """What stands in a program, without running it."""
    try:
        return "program" if ast.parse(source).body else "empty"
    except SyntaxError:
        return "syntax"
    except BaseException:
        return "other"


def judge(limits):
    def limit(names):
        for name, value in limits:
            if name in names:
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))

    limit({name for name, _ in limits} - {"CPU"})
    os.dup2(1, 2)
    trusted = trusted_names()
    write_frame(b"{}")  # ready
    while True:
        frame = read_frame()
        child = os.fork()
        if child:
            _, status = os.waitpid(child, 0)
            write_frame(b"E%d" % status)
            continue
        try:
            limit({"CPU"})
            if frame[:1] == b"P":
                report(b"S", parse(json.loads(frame[1:])))
            else:
                run_tests(json.loads(frame[1:]), trusted)
        except BaseException:
            os._exit(2)
        os._exit(0)
