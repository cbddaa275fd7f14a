"""Many requests to a control socket, of every kind, valid or not, from several clients at once.

Alone: api_storm.py SOCKET DOCUMENT N SEED. Prints the figures as JSON; status 1 when something was wrong.
"""
import collections
import json
import os
import random
import socket
import sys
import threading
import time

import api_client

CLIENTS = 8
GROWTH = 1 << 20  # bytes that a supervisor may grow by while it serves them
GROWTH_SANITIZED = 8 << 20  # freed memory is kept for a while there

HOST = b"Host: x\r\n"


def status_in(answer, *allowed):
    got = answer[0] if answer else None
    if got not in allowed:
        raise AssertionError(f"answered {answer}, expected one of {allowed}")
    if got and got >= 400:
        problem = json.loads(answer[1])
        if problem["status"] != got or not problem["detail"]:
            raise AssertionError(f"a bad problem: {problem}")


class Storm:
    def __init__(self, path, document, rng):
        self.path, self.document, self.rng = path, document, rng

    def valid(self):
        method, target, body, allowed = self.rng.choice((
            ("GET", "/v1/vm", None, (200,)), ("GET", "/v1/vm/state", None, (200,)),
            ("GET", "/v1/metrics", None, (200,)), ("GET", "/v1/launch", None, (404,)),
            ("PUT", "/v1/vm/state", {"action": "pause"}, (200, 409)),
            ("PUT", "/v1/vm/state", {"action": "resume"}, (200, 409)),
            ("PUT", "/v1/launch/finish", {}, (404,))))
        status, kind, text = api_client.ask(self.path, method, target, body)
        if status not in allowed:
            raise AssertionError(f"{method} {target} {body}: {status} {text}")
        if self.document:
            self.document.check(method, target, status, kind, text)

    def several_on_one_connection(self):
        c = api_client.Connection(self.path)
        for _ in range(self.rng.randrange(1, 6)):
            c.request("GET", "/v1/vm/state")
            r = c.getresponse()
            r.read()
            if r.status != 200:
                raise AssertionError(r.status)
        c.close()

    def malformed(self):
        data, allowed = self.rng.choice((
            (b"GET /v1/vm\r\n\r\n", (400,)), (b"\x16\x03\x01\x02\x00\x01\n\n", (400,)),
            (b"GET /v1/vm HTTP/1.1\r\n\r\n", (400,)), (b"GET /v1/vm HTTP/1.1\n\n", (400,)),
            (b"GET /v1/vm HTTP/3.0\r\n" + HOST + b"\r\n", (505,)), (b"EAT / HTTP/1.1\r\n" + HOST + b"\r\n", (501,)),
            (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", (404,)), (b"DELETE /v1/vm HTTP/1.1\r\n" + HOST + b"\r\n", (405,)),
            (b"GET /v1/vm HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n", (400,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (411,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n{\"action\"", (400,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: -9\r\n\r\n", (400,))))
        status_in(api_client.raw(self.path, data), *allowed)

    def noise(self):
        data = self.rng.randbytes(self.rng.randrange(1, 3000))
        status_in(api_client.raw(self.path, data, shut=True), 400, 414, 501)

    def deep_json(self):
        body = b"[" * self.rng.randrange(1000, 60000)
        status_in(api_client.raw(self.path, b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST +
                                 b"Content-Length: %d\r\n\r\n" % len(body) + body), 400)

    def oversized(self):
        n = self.rng.randrange(10000, 300000)
        data, allowed = self.rng.choice((
            (b"GET /" + b"a" * n + b" HTTP/1.1\r\n" + HOST + b"\r\n", (414,)),
            (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * n + b"\r\n\r\n", (431,)),
            (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * (n // 8) + b"\r\n", (431,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (n + 65536) + b"a" * n,
             (413,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n", (413,))))
        status_in(api_client.raw(self.path, data), *allowed)

    def slow_but_whole(self):
        s = api_client.dial(self.path)
        for i in b"GET /v1/vm/state HTTP/1.1\r\nHost: x\r\n\r\n":
            s.sendall(bytes([i]))
            time.sleep(0.005)
        status_in(api_client.read_answer(s), 200)
        s.close()

    def too_slow(self):
        s = api_client.dial(self.path)
        s.sendall(self.rng.choice((b"GET", b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n{")))
        status_in(api_client.read_answer(s), 408)
        s.close()

    SLOW_SHARE = 100  # one of so many is too_slow: its answer takes five seconds

    def half_closed(self):
        data, allowed = self.rng.choice((
            (b"GET /v1/vm HTTP/1.1\r\n" + HOST + b"\r\n", (200,)), (b"GET /v1/vm HT", (400,)), (b"", (None,)),
            (b"PUT /v1/vm/state HTTP/1.1\r\n" + HOST + b"Content-Length: 500\r\n\r\n{}", (400,))))
        status_in(api_client.raw(self.path, data, shut=True), *allowed)

    def gone_at_once(self):
        s = api_client.dial(self.path)
        if self.rng.random() < 0.7:
            s.sendall(b"GET /v1/vm HTTP/1.1\r\n" + HOST + b"\r\n")
            if self.rng.random() < 0.3:
                s.recv(10)
        s.close()

    def reads_nothing(self):
        s = api_client.dial(self.path)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        try:
            s.settimeout(0.2)
            s.sendall((b"GET /v1/metrics HTTP/1.1\r\n" + HOST + b"\r\n") * 200)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        s.close()

    def events(self):
        s = api_client.dial(self.path)
        s.sendall(b"GET /v1/events HTTP/1.1\r\n" + HOST + b"\r\n")
        if not s.recv(100).startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")):
            raise AssertionError("events")
        s.close()

    KINDS = ((40, valid), (8, several_on_one_connection), (15, malformed), (8, noise), (3, deep_json), (8, oversized),
             (3, slow_but_whole), (8, half_closed), (6, gone_at_once), (2, reads_nothing), (3, events))


def memory(pid):
    """Resident bytes that are the process's own."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def is_sanitized(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return "libasan" in f.read()


def run(path, document, n, seed, counts, errors):
    """
    @n requests: most by CLIENTS threads, one after the other, those that wait
    each by a thread of its own. The same seed sends the same requests.
    """
    def one(kind, rng):
        try:
            kind(Storm(path, document, rng))
        except Exception as x:  # whatever it is, it belongs into the report
            errors.append(f"{kind.__name__}: {type(x).__name__}: {x}"[:500])
        counts[kind.__name__] += 1

    def work(number, many):
        rng = random.Random(f"{seed}.{number}")
        weights, kinds = zip(*Storm.KINDS)
        for _ in range(many):
            one(rng.choices(kinds, weights)[0], rng)

    slow = n // Storm.SLOW_SHARE
    threads = [threading.Thread(target=work, args=(i, (n - slow) // CLIENTS + (i < (n - slow) % CLIENTS)))
               for i in range(CLIENTS)]
    threads += [threading.Thread(target=one, args=(Storm.too_slow, random.Random(f"{seed}.slow{i}")))
                for i in range(slow)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def settle(path):
    """Wait until the clients of before are gone, but for the one that asks."""
    for _ in range(600):
        text = api_client.ask(path, "GET", "/v1/metrics")[2]
        if b"coffer_api_clients 1\n" in text:
            time.sleep(0.2)  # it closes the asker's, too
            return
        time.sleep(0.05)
    raise AssertionError("clients are still there")


def storm(path, document, n=1000, seed=0):
    counts, errors = collections.Counter(), []
    pid = api_client.peer_pid(path)
    run(path, document, 160, seed + 1, collections.Counter(), errors)  # what is allocated once
    settle(path)
    before, files = memory(pid), open_files(pid)
    start = time.monotonic()
    run(path, document, n, seed, counts, errors)
    seconds = time.monotonic() - start
    settle(path)
    growth = memory(pid) - before
    figures = {"requests": sum(counts.values()), "seconds": round(seconds, 1), "kinds": dict(counts),
               "supervisor_bytes_before": before, "supervisor_bytes_grown": growth, "files_before": files,
               "files_after": open_files(pid), "seed": seed}
    if errors:
        raise AssertionError(f"{len(errors)} wrong answers: {errors[:5]}")
    if growth > (GROWTH_SANITIZED if is_sanitized(pid) else GROWTH):
        raise AssertionError(f"the supervisor has grown: {figures}")
    if figures["files_after"] > files:
        raise AssertionError(f"descriptors are left: {figures}")
    return json.dumps(figures)


def main():
    path, document, n, seed = sys.argv[1:]
    try:
        print(storm(path, api_client.Document(document) if document != "-" else None, int(n), int(seed)))
    except AssertionError as x:
        print(f"FAILED {x}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
