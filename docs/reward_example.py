#!/usr/bin/env python3
"""A reward of one's own: 1 if the completion ends in the answer, else 0.

gdsd writes one attempt a line and waits for one answer a line; print() must flush. Whatever is
written to standard error is shown only if this program dies.
"""

import json
import sys

for line in sys.stdin:
    attempt = json.loads(line)  # id, prompt, problem, answer, completion, source, record
    if not attempt["answer"]:
        score = None  # does not apply, which is not the same as 0
    else:
        score = 1.0 if attempt["completion"].rstrip().endswith(attempt["answer"]) else 0.0
    print(json.dumps({"id": attempt["id"], "score": score}), flush=True)
