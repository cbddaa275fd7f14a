#!/usr/bin/env python3
"""A coffer and a monitor that were not built together do not speak to each other.

other_build_test.py --coffer FILE --monitor FILE --kernel FILE
Exit status 0 passed, 1 failed, 77 skipped: no usable /dev/kvm.

The number of its build is changed in a copy of the monitor, then in one of coffer.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import usable_kvm

ID = re.compile(rb"\d+\.\d+\.\d+-[0-9a-f]{16}(?=\0)")
PATIENCE = 60


def age(path):
    """Make it look like another build."""
    with open(path, "r+b") as f:
        data = f.read()
        found = set(ID.findall(data))
        assert len(found) == 1, f"{path} has the builds {found}"
        one = found.pop()
        other = one[:-1] + (b"0" if one[-1:] != b"0" else b"1")
        f.seek(0)
        f.write(data.replace(one, other))
    return one.decode()


def run(home, kernel):
    p = subprocess.run([os.path.join(home, "coffer"), "run", "-k", kernel, "-m", "16M", "--debug-exit"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    return p.returncode, p.stderr.decode(errors="replace")


def check(args, old):
    with tempfile.TemporaryDirectory(prefix="coffer-build-") as home:
        shutil.copy(args.coffer, os.path.join(home, "coffer"))
        shutil.copy(args.monitor, os.path.join(home, "coffer-monitor"))
        status, err = run(home, args.kernel)
        assert status == 0, f"of one build: {status}: {err}"
        age(os.path.join(home, old))
        ours = ID.search(open(os.path.join(home, "coffer"), "rb").read())[0].decode()
        status, err = run(home, args.kernel)
        assert status == 69, f"another {old}: {status}: {err}"
        assert f"is not of this build ({ours})" in err and "install both anew" in err, err


def main():
    a = argparse.ArgumentParser()
    for name in ("coffer", "monitor", "kernel"):
        a.add_argument("--" + name, required=True)
    a = a.parse_args()
    if not usable_kvm():
        return 77
    try:
        check(a, "coffer-monitor")
        check(a, "coffer")
    except AssertionError as x:
        print(f"FAILED: {x}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
