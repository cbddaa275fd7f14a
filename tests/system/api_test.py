#!/usr/bin/python3
"""The control socket of a running guest: coffer run --api, coffer ctl.

api_test.py --coffer FILE --payloads DIR --document api.yaml CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped.
"""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

import api_client
import api_storm
import harness
import sev_test
from harness import PATIENCE, Skip, check

CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


class Guest:
    """tests/guest/obey.c with a control socket; its numbers are read all the time."""

    def __init__(self, e, *args, **kw):
        self.sock = e.path("api")
        self.coffer = e.coffer
        # A sanitized supervisor keeps what it frees; its growth must still say something.
        kw.setdefault("env", dict(os.environ))["ASAN_OPTIONS"] = "quarantine_size_mb=2"
        args = kw.pop("cmd", None) or e.cmd("obey", "--api", self.sock, *args)
        self.p = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        self.last, self.gap = -1, None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.p.stdout:
            try:
                n = int(line, 16)
            except ValueError:
                n = None
            if n != self.last + 1 and n != 0 and self.gap is None:
                self.gap = (self.last, line)
            self.last = -1 if n is None else n

    def wait_number(self, n=0):
        end = time.monotonic() + PATIENCE
        while self.last < n:
            check(self.p.poll() is None, f"ended: {self.p.returncode}")
            check(time.monotonic() < end, f"the guest has not counted to {n}, but {self.last}")
            time.sleep(0.01)

    def tell(self, letter):
        self.p.stdin.write(letter.encode())
        self.p.stdin.flush()

    def ctl(self, *args, expect=0):
        p = subprocess.run([self.coffer, "ctl", self.sock, *args], capture_output=True, timeout=PATIENCE)
        check(p.returncode == expect, f"ctl {args}: {p.returncode}, expected {expect}; {p.stdout} {p.stderr}")
        return (p.stdout + p.stderr).decode()

    def wait(self, expect):
        self.p.stdin.close()
        r = self.p.wait(PATIENCE)
        self.thread.join(PATIENCE)
        check(r == expect, f"exit status {r}, expected {expect}; {self.p.stderr.read().decode()}")
        check(not os.path.exists(self.sock), "the socket is still there")

    def __enter__(self):
        self.wait_number()
        return self

    def __exit__(self, *_):
        if self.p.poll() is None:
            self.p.terminate()
            try:
                self.p.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.p.kill()
                self.p.wait()


@case
def every_answer_fits_the_document(e):
    doc = e.document()
    asked = [("GET", "/v1/vm", None, 200), ("GET", "/v1/vm/state", None, 200), ("GET", "/v1/metrics", None, 200),
             ("PUT", "/v1/vm/state", {"action": "pause"}, 200), ("GET", "/v1/vm", None, 200),
             ("PUT", "/v1/vm/state", {"action": "resume"}, 200), ("PUT", "/v1/vm/state", {"action": "fly"}, 400),
             ("PUT", "/v1/disks/size", {"lun": 0}, 200), ("PUT", "/v1/disks/size", {"lun": 7}, 400),
             ("PUT", "/v1/disks/size", {"lun": "0"}, 400), ("PUT", "/v1/disks/size", {}, 400),
             ("PUT", "/v1/disks/size", {"lun": 256}, 400),
             ("GET", "/v1/launch", None, 404), ("PUT", "/v1/launch/finish", {}, 404),
             ("PUT", "/v1/launch/secret", {"header": "", "payload": ""}, 404),
             ("PUT", "/v1/vm/state", {"action": "stop"}, 202), ("PUT", "/v1/vm/state", {"action": "pause"}, 409),
             ("PUT", "/v1/vm/state", {"action": "kill"}, 202)]
    image = e.path("image")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    with Guest(e, "-d", image + ",ro,serial=x", "--rng", "--vsock", "cid=3,path=" + e.path("v"), "--stop-timeout",
               "60") as g:
        with api_client.dial(g.sock) as s:
            s.sendall(b"GET /v1/events HTTP/1.0\r\n\r\n")
            for method, target, body, expect in asked:
                status, kind, text = api_client.ask(g.sock, method, target, body)
                check(status == expect, f"{method} {target} {body}: {status}, expected {expect}; {text}")
                doc.check(method, target, status, kind, text)
            events = harness.read_until(s.fileno(), b'"ended"').split(b"\r\n\r\n", 1)[1]
        g.wait(0)
    for line in events.splitlines():
        doc.check_event(line)
    names = [json.loads(line)["event"] for line in events.splitlines()]
    check(names == ["attached", "paused", "resumed", "stopping", "ended"], names)


@case
def a_protected_guests_answers_fit_the_document(e):
    """On the simulated platform: while the launch waits, and when the guest runs."""
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if hard != resource.RLIM_INFINITY and hard < 7 << 20:
        raise Skip(f"only {hard} bytes may be locked (ulimit -H -l)")
    doc, sock, kernel = e.document(), e.path("api"), e.path("kernel")
    nonce = {"nonce": "AAECAwQFBgcICQoLDA0ODw=="}
    asked = [("GET", "/v1/launch", None, 200), ("PUT", "/v1/launch/attestation", nonce, 409),
             ("PUT", "/v1/launch/secret", {"header": "AA==", "payload": "AA=="}, 400),
             ("PUT", "/v1/launch/finish", {}, 200), ("PUT", "/v1/launch/finish", {}, 409),
             ("GET", "/v1/launch", None, 200), ("PUT", "/v1/launch/attestation", nonce, 200),
             ("PUT", "/v1/launch/attestation", {"nonce": "AAAA"}, 400), ("PUT", "/v1/launch/attestation", {}, 400),
             ("PUT", "/v1/vm/state", {"action": "kill"}, 202)]
    with open(kernel, "wb") as f:
        f.write(sev_test.bzimage(b"\xf4\xeb\xfd"))  # hlt; jmp
    p = subprocess.Popen([e.coffer, "sim", "--", e.coffer, "run", "--protect", "sev", "--firmware", "none", "--paused",
                          "--api", sock, "-k", kernel, "-m", "6M", "--console", "none"], stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + PATIENCE
        while subprocess.run([e.coffer, "ctl", sock, "measurement"], capture_output=True).returncode:
            check(p.poll() is None, f"ended: {p.returncode}")
            check(time.monotonic() < end, "no measurement")
            time.sleep(0.05)
        for method, target, body, expect in asked:
            status, kind, text = api_client.ask(sock, method, target, body)
            check(status == expect, f"{method} {target}: {status}, expected {expect}: {text}")
            doc.check(method, target, status, kind, text)
        check(p.wait(PATIENCE) == 0, p.returncode)
    finally:
        p.kill()
        p.communicate()


@case
def a_wrong_answer_would_not_fit_the_document(e):
    """The check above can fail."""
    doc = e.document()
    for status, kind, body in ((200, "application/json", {"state": "tired"}), (200, "text/html", {}),
                               (200, "application/json", {"state": "running", "more": 1}),
                               (409, "application/problem+json",
                                {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "no state"})):
        try:
            doc.check("PUT", "/v1/vm/state", status, kind, json.dumps(body))
        except (AssertionError, doc.jsonschema.ValidationError):
            continue
        raise AssertionError(f"{status} {kind} {body} was taken")


@case
def metrics_are_openmetrics(e):
    try:
        from prometheus_client.openmetrics import parser
    except ImportError as x:
        raise Skip(f"{x} (python3-prometheus-client)") from x
    images = [e.path("a"), e.path("b")]
    for image in images:
        with open(image, "wb") as f:
            f.truncate(1 << 20)
    with Guest(e, "-d", images[0], "-d", images[1] + ",ro", "--rng") as g:
        text = g.ctl("metrics")
        families = {f.name: f for f in parser.text_string_to_metric_families(text)}
        check(families["coffer_vm_starts"].samples[0].value == 1, families["coffer_vm_starts"])
        running = [s for s in families["coffer_vm_state"].samples if s.value]
        check([s.labels["coffer_vm_state"] for s in running] == ["running"], running)
        reads = {s.labels["device"] for s in families["coffer_device_read_bytes"].samples}
        check(reads == {"scsi0.lun0", "scsi0.lun1"}, reads)
        check(families["coffer_dma_shared_bytes"].samples[0].value == 16 << 20, families["coffer_dma_shared_bytes"])
        check(families["coffer_device_read_bytes"].type == "counter", "type")
        g.tell("q")
        g.wait(42)


@case
def a_paused_guest_does_nothing_and_then_goes_on(e):
    with Guest(e, "-c", "2") as g:
        g.wait_number(50)
        check(g.ctl("pause") == "paused\n", "pause")
        check(json.loads(g.ctl("--json", "status"))["state"] == "paused", "state")
        time.sleep(0.3)  # what was written before it paused arrives
        before = g.last
        time.sleep(0.5)
        check(g.last == before, f"it counted on from {before} to {g.last}")
        check(g.ctl("pause") == "paused\n", "a second time")
        check(g.ctl("resume") == "running\n", "resume")
        check(g.ctl("resume") == "running\n", "a second time")
        g.wait_number(before + 50)
        check(g.gap is None, g.gap)
        g.tell("q")
        g.wait(42)


@case
def a_paused_guest_can_be_stopped(e):
    with Guest(e, "--stop-timeout", "0.5") as g:
        g.ctl("pause")
        check(g.ctl("stop") in ("stopping\n", "running\n"), "stop")
        g.wait(124)


@case
def commands_say_what_they_do_and_how_it_went(e):
    with Guest(e, "--stop-timeout", "60") as g:
        status = g.ctl("status")
        for word in ("state      running", "memory     16M", "kernel", "starts 1",
                     "protection none: the host sees all of the guest"):
            check(word in status, status)
        check("not protected" in g.ctl("measurement", expect=69), "measurement")
        header, payload = e.path("h"), e.path("p")
        for name, size in ((header, 52), (payload, 64)):
            with open(name, "wb") as f:
                f.write(bytes(size))
        check("not protected" in g.ctl("secret", header, payload, expect=69), "secret")
        check("is it the payload" in g.ctl("secret", payload, header, expect=66), "swapped")
        check("HEADER and PAYLOAD" in g.ctl("secret", header, expect=64), "one file")
        check("did you mean 'pause'" in g.ctl("pausw", expect=64), "spelling")
        check("no argument" in g.ctl("pause", "now", expect=64), "argument")
        check(g.ctl("stop") == "stopping\n", "stop")
        check("the guest is stopping" in g.ctl("pause", expect=75), "pause")
        refusal = subprocess.run([e.coffer, "ctl", "--json", g.sock, "pause"], capture_output=True, timeout=PATIENCE)
        check(json.loads(refusal.stdout)["status"] == 409, refusal)
        check(g.ctl("kill") == "stopping\n", "kill")
        g.wait(0)
        check("no such socket" in g.ctl("status", expect=69), "after the end")


def names_of(lines):
    return [json.loads(line)["event"] for line in lines.splitlines()]


@case
def events_tell_a_guests_life(e):
    for letter, expect, names in (("o", 0, ["shutdown", "ended"]), ("p", 80, ["crash-kernel", "panic", "ended"]),
                                  ("r", 0, ["reset", "ended"]), ("q", 42, ["ended"])):
        with Guest(e) as g:
            with subprocess.Popen([e.coffer, "ctl", g.sock, "events"], stdout=subprocess.PIPE) as p:
                first = p.stdout.readline()
                g.tell(letter)
                rest = p.stdout.read()
                check(p.wait(PATIENCE) == 0, f"ctl events: {p.returncode}")
            g.wait(expect)
        check(names_of(first) + names_of(rest) == ["attached"] + names, f"{letter}: {first} {rest}")


@case
def a_driver_that_breaks_its_device_is_told(e):
    image, count = e.path("image"), e.path("s.json")
    with open(image, "wb") as f:
        f.truncate(1 << 20)
    p = e.run("attack_virtio", "-v", "-d", image, "--rng", "--timeout", "60", "--status-file", count)
    told = p.stderr.count(b"driver of rng0 broke it"), p.stderr.count(b"driver of scsi0 broke it")
    with open(count, encoding="utf-8") as f:
        broken = json.load(f)["counters"]
    check(0 < told[0] <= broken["rng0"]["broken"] and 0 < told[1] <= broken["scsi0"]["broken"], (told, broken))
    check(sum(told) <= 100, told)


@case
def a_restart_is_told_and_counted(e):
    with Guest(e, "--on-reboot", "restart") as g:
        with subprocess.Popen([e.coffer, "ctl", g.sock, "events"], stdout=subprocess.PIPE) as p:
            p.stdout.readline()
            for n in (2, 3):
                g.tell("r")
                check(names_of(p.stdout.readline()) == ["reset"], "reset")
                check(names_of(p.stdout.readline()) == ["started"], "started")
                check(json.loads(g.ctl("--json", "status"))["starts"] == n, "starts")
            g.wait_number(10)
            g.tell("q")
            g.wait(42)
            p.stdout.read()


@case
def a_slow_reader_of_events_is_dropped(e):
    with Guest(e) as g:
        slow = api_client.dial(g.sock)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        slow.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(4000):
            for action in ("pause", "resume"):
                check(api_client.ask(g.sock, "PUT", "/v1/vm/state", {"action": action})[0] == 200, action)
            if b"dropped_total 1" in api_client.ask(g.sock, "GET", "/v1/metrics")[2]:
                break
        else:
            raise AssertionError("never dropped")
        slow.close()
        g.tell("q")
        g.wait(42)
        check(g.gap is None, g.gap)


@case
def a_thousand_requests_do_not_harm_the_guest(e):
    with Guest(e) as g:
        figures = api_storm.storm(g.sock, e.document(), n=1000, seed=4)
        check(g.p.poll() is None, "the supervisor has gone")
        print(figures)
        g.ctl("resume")
        g.wait_number(g.last + 50)
        check(g.gap is None, f"the guest's numbers have a gap: {g.gap}")
        g.tell("q")
        g.wait(42)


@case
def a_path_in_use_is_refused_and_a_stale_one_replaced(e):
    with Guest(e) as g:
        p = e.run("exit_zero", "--api", g.sock)
        check(p.returncode == 66 and b"--api" in p.stderr, p)
        check(g.ctl("status"), "the first one still serves")
        g.p.kill()
        g.p.wait()
        check(os.path.exists(g.sock), "SIGKILL leaves the name")
        check("nobody listens" in g.ctl("status", expect=69), "stale")
    with Guest(e, "--stop-timeout", "0") as g:
        g.p.send_signal(signal.SIGTERM)
        g.wait(0)
    p = e.run("exit_zero", "--api", e.path("no/such/dir"))
    check(p.returncode == 66 and b"--api" in p.stderr, p)
    p = e.run("exit_zero", "--api", e.path("x" * 120))
    check(p.returncode == 64 and b"at most" in p.stderr, p)


@case
def another_user_is_turned_away(e):
    if os.geteuid() != 0:
        raise Skip("needs root, to be somebody else")
    with Guest(e) as g:
        check(os.stat(g.sock).st_mode & 0o777 == 0o600, "mode")
        ask = [e.coffer, "ctl", g.sock, "status"]
        os.chmod(e.tmp, 0o755)
        p = subprocess.run(ask, capture_output=True, timeout=PATIENCE, user=65534)
        check(p.returncode == 77, p)
        os.chmod(g.sock, 0o666)
        p = subprocess.run(ask, capture_output=True, timeout=PATIENCE, user=65534)
        check(p.returncode == 77 and b"for the user who started" in p.stderr, p)
        g.tell("q")
        g.wait(42)


@case
def a_service_manager_is_told_and_may_pass_the_socket(e):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(e.path("notify"))
    notify.settimeout(PATIENCE)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(e.path("passed"))
    listener.listen()
    env = dict(os.environ, NOTIFY_SOCKET=e.path("notify"), LISTEN_FDS="1")
    fd = listener.fileno()
    script = f'exec 3<&{fd}; [ {fd} = 3 ] || exec {fd}<&-; export LISTEN_PID=$$; exec "$@"'
    with Guest(e, cmd=["bash", "-c", script, "sh", *e.cmd("obey")], env=env, pass_fds=(fd,)) as g:
        g.sock = e.path("passed")
        check("running" in g.ctl("status"), "status")
        said = notify.recv(4096)
        check(said == b"READY=1\nSTATUS=running", said)
        g.ctl("pause")
        check(notify.recv(4096) == b"STATUS=paused", "paused")
        g.ctl("kill")
        check(notify.recv(4096) == b"STOPPING=1\nSTATUS=stopping", "stopping")
        check(g.p.wait(PATIENCE) == 0, g.p.returncode)
        check(os.path.exists(g.sock), "a passed socket is not ours to remove")


class Env(harness.Env):
    def __init__(self, coffer, payloads, tmp, document):
        super().__init__(coffer, payloads, tmp)
        self.document_path = document

    def document(self):
        try:
            return api_client.Document(self.document_path)
        except ImportError as x:
            raise Skip(f"{x} (python3-jsonschema, python3-yaml)") from x


if __name__ == "__main__":
    sys.exit(harness.main(CASES, Env))
