"""./dev setup against a world of fakes: what it asks apt for, and when it asks for nothing."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FAKES = {
    # One line in `calls` for each call; `installed` lists packages; `broken` makes apt-get fail.
    "dpkg-query": 'grep -qx "${!#}" "$WORLD/installed" && echo -n installed || exit 1',
    "apt-get": 'echo "$@" >>"$WORLD/calls"; [[ ! -e $WORLD/broken ]] || { echo "E: no disk"; exit 100; }\n'
               'case "$*" in *--no-download*) for p in "$@"; do echo "$p" >>"$WORLD/installed"; done ;;\n'
               'download*|*" download "*) touch "${!#}_1.2_amd64.deb" ;; esac',
    # A package of two programs.
    "dpkg-deb": 'mkdir -p usr/bin; echo one >usr/bin/one; echo two >usr/bin/two; tar -c ./usr',
    "sudo": 'exec "$@"',
}


def packages():
    """(name, the program that makes it needless) of each line of the list."""
    for line in (ROOT / "scripts/packages.txt").read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, program = line.split()[0].replace("/", "?").partition("?")
            yield name, program


class SetupTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.world = Path(folder.name)
        for name, body in FAKES.items():
            fake = self.world / name
            fake.write_text(f"#!/bin/bash\n{body}\n")
            fake.chmod(0o755)
        (self.world / "os-release").write_text('ID=debian\nVERSION_ID="12"\n')
        (self.world / "installed").write_text("")

    def setup(self, *arguments, **environment):
        environment = {**os.environ, **environment, "WORLD": str(self.world),
                       "PATH": f"{self.world}:{os.environ['PATH']}",
                       "PERDURE_OS_RELEASE": str(self.world / "os-release")}
        return subprocess.run([ROOT / "dev", "setup", *arguments], env=environment, text=True,
                              capture_output=True)

    def calls(self):
        file = self.world / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def install_all_but(self, *names):
        self.missing = names
        (self.world / "installed").write_text(
            "".join(f"{name}\n" for name, _ in packages() if name not in names))

    def test_does_nothing_when_all_is_there(self):
        self.install_all_but()
        run = self.setup()
        self.assertEqual((run.returncode, self.calls()), (0, []))

    def test_says_what_it_would_do(self):
        self.install_all_but("mold", "spin")
        run = self.setup("--dry-run")
        self.assertEqual((run.returncode, self.calls()), (0, []))
        self.assertIn("mold", run.stdout)
        self.assertIn("model checking", run.stdout)
        self.assertNotIn("ninja-build", run.stdout)

    def test_installs_what_is_missing_in_one_transaction(self):
        self.install_all_but("mold", "spin")
        run = self.setup()
        self.assertEqual(run.returncode, 0, run.stderr)
        update, fetch, install = self.calls()
        self.assertTrue(update.endswith("update"))
        self.assertIn("--download-only", fetch)
        self.assertTrue(install.endswith("--no-download mold spin"), install)
        self.assertLess(run.stdout.index("to install"), run.stdout.index("installed 2 packages"))
        self.assertEqual(self.setup().stdout, "setup: everything is installed\n")

    def test_takes_one_program_out_of_a_package(self):
        (self.world / "list").write_text("[build]\npair/two  why\nmold  why\n")
        there = {"PERDURE_PACKAGES": str(self.world / "list"), "PERDURE_PROGRAMS_TO": str(self.world)}
        self.install_all_but()
        run = self.setup(**there)
        self.assertEqual(run.returncode, 0, run.stderr)
        update, download = self.calls()
        self.assertTrue(download.endswith("download pair"), download)
        self.assertEqual((self.world / "two").read_text(), "two\n")
        self.assertFalse((self.world / "one").exists())
        self.assertIn("took two", run.stdout)
        self.assertEqual(self.setup(**there).stdout, "setup: everything is installed\n")

    def test_stops_when_a_program_cannot_be_taken(self):
        (self.world / "list").write_text("[build]\npair/three  why\n")
        run = self.setup(PERDURE_PACKAGES=str(self.world / "list"), PERDURE_PROGRAMS_TO=str(self.world))
        self.assertEqual(run.returncode, 1)
        self.assertIn("three", run.stderr)
        self.assertFalse((self.world / "three").exists())

    def test_stops_when_apt_fails(self):
        self.install_all_but("mold")
        (self.world / "broken").touch()
        run = self.setup()
        self.assertEqual(run.returncode, 1)
        self.assertIn("E: no disk", run.stderr)
        self.assertEqual(len(self.calls()), 1)

    def test_refuses_another_distribution(self):
        (self.world / "os-release").write_text("ID=fedora\nVERSION_ID=41\n")
        run = self.setup()
        self.assertEqual((run.returncode, self.calls()), (69, []))
        self.assertIn("fedora 41", run.stderr)


if __name__ == "__main__":
    unittest.main()
