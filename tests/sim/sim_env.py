"""The simulated SEV host, a client of it that is not coffer, and how cases are run."""
import argparse
import base64
import os
import shutil
import subprocess
import tempfile

PATIENCE = 120  # seconds; for a loaded machine
API = ["--api", "1.55", "--build", "24"]


class Skip(Exception):
    pass


def check(ok, what):
    if not ok:
        raise AssertionError(what)


class Client:
    """sev_client under coffer sim, asked line by line."""

    def __init__(self, env, *options, prefix=(), client=()):
        self.log = open(env.path("sim.log"), "w+", encoding="utf-8")
        self.p = subprocess.Popen(
            [*prefix, env.sim, *options, "--", env.client, *client], cwd=env.tmp, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        return self.p.stdout.readline().strip()

    def ok(self, *lines):
        for line in lines:
            answer = self.ask(line)
            check(answer.startswith("ok"), f"{line}: {answer}; {self.said()}")
        return answer[3:]

    def fails(self, line, errno, status=0):
        answer = self.ask(line)
        check(answer.startswith(f"errno {errno} fw 0x{status:x}"),
              f"{line}: {answer}, expected {errno} and status {status:#x}")
        return answer

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def end(self, status=0):
        self.p.stdin.close()
        r = self.p.wait(timeout=PATIENCE)
        check(r == status, f"exit status {r}, expected {status}; {self.said()}")
        return self.said()


class Env:
    def __init__(self, build):
        self.build = build
        self.sim = os.path.join(build, "coffer-sim")
        self.coffer = os.path.join(build, "coffer")
        self.owner = os.path.join(build, "coffer-owner")
        self.client = os.path.join(build, "tests/sim/sev_client")
        self.payloads = os.path.join(build, "tests/guest")
        self.tmp = tempfile.mkdtemp(prefix="sim_test.")
        self.state = ["--state", self.path("plat.sim")]

    def path(self, name):
        return os.path.join(self.tmp, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def run(self, *args, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(args, cwd=self.tmp, capture_output=True, text=True,
                              timeout=PATIENCE, **kw)

    def good(self, *args):
        p = self.run(*args)
        check(p.returncode == 0, f"{args[:3]}: {p.returncode}: {p.stdout}{p.stderr}")
        return p.stdout

    def session(self, client, policy, name="vm"):
        """A session for the platform that the client sees; raw files beside."""
        client.ok("sev", "export chain")
        for file in ("cek", "ask_ark"):
            self.write(file, bytes.fromhex(client.ok(f"cat /var/lib/coffer/sev/{file}.cert")))
        out = self.good(self.owner, "session", "--simulated", "--force", "--name", name, "--cek",
                        "cek", "--roots", "ask_ark", "chain", hex(policy))
        check("SIMULATED" in out, out)
        for file in ("godh", "session"):
            with open(self.path(f"{name}_{file}.b64"), "rb") as f:
                self.write(f"{name}_{file}", base64.b64decode(f.read()))
        return f"start {policy} {name}_godh {name}_session"


def launch(env, client, policy=1):
    """From session to measurement; returns it as the owner's tool wants it."""
    start = env.session(client, policy)
    env.write("fw", os.urandom(65536))
    client.ok("vm", "init", start, "mem 1048576", "fill fw 0", "reg", "update 0 65536")
    m = base64.b64encode(bytes.fromhex(client.ok("measure"))).decode()
    return [*API, "--policy", hex(policy), "--measurement", m]


def secret(env, client, report):
    """Pack and inject one; returns what it is."""
    env.write("secret", b"hunter2-hunter2")
    env.good(env.owner, "secret", "--tik", "vm_tik.bin", "--tek", "vm_tek.bin", "--secret",
             "luks-key:secret", "--force", *report, "hdr.b64", "data.b64")
    for file in ("hdr", "data"):
        with open(env.path(f"{file}.b64"), "rb") as f:
            env.write(file, base64.b64decode(f.read()))
    client.ok("secret 131072 hdr data")
    return b"hunter2-hunter2".hex()


def run_case(case, build):
    """Its status: 0, 1 when it failed, 77 when it cannot run here."""
    env = Env(build)
    try:
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            raise Skip("no /dev/kvm")
        case(env)
    except Skip as why:
        print(f"SKIPPED {case.__name__}: {why}")
        return 77
    except (AssertionError, subprocess.TimeoutExpired) as why:
        print(f"FAILED {case.__name__}: {why}")
        return 1
    finally:
        shutil.rmtree(env.tmp)
    print(f"ok {case.__name__}")
    return 0


def main(all_cases):
    """A test program's main: "list" prints the cases, names run them. Its exit status."""
    ap = argparse.ArgumentParser()
    ap.add_argument("--build")
    ap.add_argument("cases", nargs="+")
    args = ap.parse_args()
    if args.cases == ["list"]:
        print("\n".join(c.__name__ for c in all_cases))
        return 0
    build = os.path.abspath(args.build)
    results = [run_case(c, build) for c in all_cases if c.__name__ in args.cases]
    check(len(results) == len(args.cases), f"no such case among {args.cases}")
    return next((r for r in results if r not in (0, 77)), max(results))
