"""What a case may ask of the machine outside: programs that the outer machine
has no room for. One line asks (lib.sh's ask), one line answers.
"""
import base64
import os
import subprocess
import tempfile
from pathlib import Path

VALIDATOR = "/usr/bin/virt-qemu-sev-validate"


class Outside:
    def __init__(self, files: dict[str, Path]):
        """@files: those of the cases' guests, by the names used below."""
        self.files = files

    def answer(self, words: list[str]) -> str:
        verbs = {"libvirt-secret": self._libvirt_secret}
        try:
            return verbs[words[0]](*words[1:])
        except (KeyError, IndexError, TypeError, ValueError, OSError,
                subprocess.TimeoutExpired) as e:
            return f"error {type(e).__name__} {e}".replace("\n", " ")

    def _libvirt_secret(self, measurement: str, major: str, minor: str,
                        build: str, policy: str, tik: str, tek: str,
                        append: str, guid: str, secret: str) -> str:
        """
        The packet that libvirt's validator makes for a launch of stage0 with
        the kernel "cloud" and the initrd "devices", once it has found the
        measurement to be right. Keys, command line and secret are base64.
        """
        if not os.path.exists(VALIDATOR):
            return f"missing {VALIDATOR} (libvirt-clients-qemu)"
        with tempfile.TemporaryDirectory(prefix="nested-outside-") as d:
            for name, text in (("tik", tik), ("tek", tek), ("secret", secret)):
                Path(d, name).write_bytes(base64.b64decode(text))
            done = subprocess.run(
                ["/usr/bin/python3", VALIDATOR, "--measurement", measurement,
                 "--api-major", major, "--api-minor", minor, "--build-id",
                 build, "--policy", policy, "--tik", "tik", "--tek", "tek",
                 "--firmware", self.files["stage0"],
                 "--kernel", self.files["cloud"],
                 "--initrd", self.files["devices"],
                 "--cmdline", base64.b64decode(append).decode(),
                 "--inject-secret", f"{guid}:secret", "--secret-header",
                 "header", "--secret-payload", "payload"],
                cwd=d, capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                return f"error {done.returncode} " + " ".join(
                    (done.stdout + done.stderr).split())
            return "ok " + " ".join(
                Path(d, name).read_text().strip().replace("\n", "")
                for name in ("header", "payload"))
