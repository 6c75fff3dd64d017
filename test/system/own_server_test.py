"""The server of `perdure run` over its ends: it is killed, stopped, replaced because the operator's file has changed, and
by several terminals at once."""
import hashlib
import json
import pathlib
import re
import signal
import subprocess
import sys
import unittest

from case import agent
from runs import NO_KEYS, RunTest, process_state
from server import BINARY, toml
from terminal import Terminal

HERE = pathlib.Path(__file__).resolve().parent
# It is there once a file is.
LATE = "until [ -e {0}/go ]; do sleep 0.02; done; exec {1} {2}/tool_server.py {0}"


class OwnServer(RunTest):
    def test_a_server_that_is_killed_is_started_again(self):
        with subprocess.Popen([BINARY, "run", "orders.toml", "hold it"], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.world.wait_held("hold")
            self.end_server(signal.SIGKILL)
            self.world.wait_held("hold", 2)
            self.world.release("hold")
            out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (0, "Held words.\n"), err)
        self.assertIn("the server went away", err)
        self.assertEqual(err.count("agent    orders"), 1)
        self.assertEqual(self.log().count("listening on"), 2)

    def test_a_file_that_has_changed_is_read(self):
        self.perdure("run", "orders.toml", "say it")
        first = self.server_pid
        self.add_tool("added")
        done = self.perdure("run", "orders.toml", "say it with more")
        self.assertIn(f"perdure.toml is not the one with which the server (process {first}) was started", done.stderr)
        self.assertIn("added", self.model_bodies("with more")[-1])
        self.assertNotIn(self.server_pid, (0, first))
        self.assertIn(process_state(first), (None, "Z"))
        self.assertNotIn("was started", self.perdure("run", "orders.toml", "say it again").stderr)

    def test_a_file_that_has_changed_while_a_person_is_waited_for(self):
        asked = self.perdure("run", "orders.toml", "pay it", status=5).stderr
        first = self.server_pid
        self.add_tool("added")
        self.perdure("run", "orders.toml", "say it")
        self.assertNotEqual(self.server_pid, first, "a question that waits is no reason to stay")
        self.perdure(*re.search(r"perdure (approve \S+)", asked)[1].split())
        task = re.search(r"task_\w+", asked)[0]
        self.assertIn("completed", self.perdure("events", task, "--follow").stdout)

    def test_a_server_at_work_is_not_cut_off(self):
        self.perdure("run", "orders.toml", "hold it", "--detach")
        self.world.wait_held("hold")
        first = self.server_pid
        self.write_agent(instructions="Be brief.")
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "perdure.toml").write_text(config + "no TOML")
        self.assertIn("perdure.toml:", self.perdure("run", "orders.toml", "say it", status=1).stderr)
        (self.folder / "perdure.toml").write_text(config + "# changed\n")
        said = self.perdure("run", "orders.toml", "say it").stderr
        self.assertIn("'perdure stop --data-dir .perdure'", said)
        self.assertEqual(self.server_pid, first)
        self.world.release("hold")
        self.assertIn(f"process {first}", self.perdure("stop").stdout)
        self.assertIn(process_state(first), (None, "Z"))
        self.assertIn("no process serves", self.perdure("stop", status=3).stderr)

    def test_a_file_that_no_server_starts_with_ends_none(self):
        self.perdure("run", "orders.toml", "say it")
        first = self.server_pid
        good = (self.folder / "perdure.toml").read_text()
        for bad, mistake in ((good.replace("[models.main]", "[model.main]") + "[models.other]\n", "'models'"),
                             (good + '[secrets]\nkey = "env:NOT_SET_HERE"\n', "NOT_SET_HERE"),
                             (good + '[tokens.ci]\ntoken = "env:NOT_SET_HERE"\nscopes = ["read"]\n', "NOT_SET_HERE")):
            with self.subTest(mistake):
                (self.folder / "perdure.toml").write_text(bad)
                self.assertIn(mistake, self.perdure("run", "orders.toml", "say it", status=1).stderr)
                self.assertEqual(self.server_pid, first)
        (self.folder / "perdure.toml").write_text(good)
        self.assertNotIn("was started", self.perdure("run", "orders.toml", "say it").stderr)
        self.assertEqual(self.server_pid, first)

    def test_two_with_files_of_their_own_share_one_server(self):
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "other.toml").write_text(config + "# of the other\n")
        following = []
        for name in ("perdure.toml", "other.toml"):
            terminal = Terminal("run", "--config", name, "--data-dir", ".perdure", "orders.toml", "pay it",
                                cwd=self.folder, env=NO_KEYS)
            self.addCleanup(terminal.close)
            terminal.expect("[l]eave it:")
            following.append(terminal)
        following[0].expect("the server is back")
        pid = self.server_pid
        for terminal in following:
            terminal.type("a")
            terminal.expect("completed")
            self.assertEqual(terminal.end(), 0)
        self.assertEqual(self.server_pid, pid)
        self.assertEqual(json.loads((self.data / "running").read_text())["config_sha256"],
                         hashlib.sha256((self.folder / "other.toml").read_bytes()).hexdigest())
        # Whoever follows gives way, unless the machine is so busy that nobody is seen.
        self.assertLessEqual(self.log().count("listening on"), 3, self.log())

    def test_a_server_of_somebody_else_stays(self):
        process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0"], cwd=self.folder, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertIn("listening", process.stdout.readline())
        self.add_tool("added")
        self.write_agent()
        said = self.perdure("run", "orders.toml", "say it").stderr
        self.assertIn(f"(process {process.pid}) was started: it goes on with that until you restart it", said)
        self.assertIsNone(process.poll())
        self.perdure("stop")
        self.assertEqual(process.wait(20), 0)

    def test_only_who_holds_the_directory_is_ended(self):
        stranger = subprocess.Popen(["sleep", "60"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        self.perdure("run", "orders.toml", "say it")
        pid = self.server_pid
        running = json.loads((self.data / "running").read_text())
        self.assertEqual(running["pid"], pid)
        (self.data / "lock").write_text(f"{stranger.pid}\n")
        self.perdure("stop", status=3)
        (self.data / "running").write_text(json.dumps({**running, "pid": stranger.pid}))
        self.perdure("stop", status=3)
        self.assertIsNone(stranger.poll())
        (self.data / "lock").write_text(f"{pid}\n")

    def test_stop_waits_for_one_that_is_ending(self):
        self.data.mkdir(mode=0o700)
        # Another process holds the directory, and does not say that it serves.
        holder = subprocess.Popen(
            [sys.executable, "-c", "import fcntl, sys; lock = open(sys.argv[1], 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); "
             "print('held', flush=True); sys.stdin.read()", self.data / "lock"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.stdout.close)
        self.addCleanup(holder.stdin.close)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        stop = subprocess.Popen([BINARY, "stop", "--data-dir", self.data], stdout=subprocess.PIPE, text=True)
        with self.assertRaises(subprocess.TimeoutExpired):
            stop.wait(0.3)
        holder.stdin.close()
        said, _ = stop.communicate(timeout=20)
        self.assertEqual((stop.returncode, said), (0, "stopped  it was ending already\n"))

    def stopping(self):
        """`perdure stop`, while the server drains: until "hold" is released."""
        self.perdure("run", "orders.toml", "hold it", "--detach")
        self.world.wait_held("hold")
        stop = self.background("stop")
        self.until(lambda: "server.draining" in self.log())
        return stop

    def test_a_server_that_shuts_down_is_waited_for(self):
        stop = self.stopping()
        mine = self.background("run", "orders.toml", "say it once")
        self.until(lambda: "shutting down (HTTP 503 unavailable); it is asked again" in mine.said())
        self.world.release("hold")
        self.ends_well(mine)
        self.ends_well(stop, stop.printed())
        self.assertEqual(self.log().count("listening on"), 2, self.log())
        self.assertEqual(self.perdure("tasks", "list").stdout.count("completed"), 2, "each was submitted once")
        self.only(self.model_bodies("say it once"))

    def test_ctrl_c_while_one_is_waited_for(self):
        stop = self.stopping()
        mine = self.background("run", "orders.toml", "say it once")
        self.until(lambda: "it is asked again" in mine.said())
        mine.send_signal(signal.SIGINT)
        self.assertEqual(mine.wait(20), 130, mine.said())
        self.world.release("hold")
        self.assertEqual(stop.wait(20), 0, stop.said())

    def test_a_server_that_is_stopped_is_followed_to_the_next(self):
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "perdure.toml").write_text('[server]\ndrain = "100ms"\n' + config)
        mine = self.background("run", "orders.toml", "hold it")
        self.world.wait_held("hold")
        self.assertIn("stopped", self.perdure("stop").stdout)
        self.world.wait_held("hold", 2)
        self.world.release("hold")
        said = self.ends_well(mine, "Held words.\n")
        self.assertIn("the server went away", said)
        self.assertEqual(said.count("agent    orders"), 1, "no event is told twice")

    def late_server(self, *flags):
        """Another's, of this data directory with a file of its own: it holds it, and answers when it is let."""
        config = self.config()
        config["mcp"] = {"late": {"command": ["/bin/sh", "-c", LATE.format(self.folder, sys.executable, HERE)],
                                  "unsafe_same_user": True}}
        (self.folder / "other.toml").write_text(toml(config))
        other = self.background("serve", "--config", "other.toml", "--data-dir", ".perdure", "--listen", "127.0.0.1:0",
                                *flags)
        self.until(lambda: self.server_pid == other.pid)
        return other

    def test_another_file_that_is_first_at_the_same_moment(self):
        other = self.late_server("--until-idle", "10s")
        mine = self.background("run", "orders.toml", "say it")
        self.until(lambda: "is in use by process" in self.log())
        (self.folder / "go").touch()
        self.assertIn(f"perdure.toml is not the one with which the server (process {other.pid}) was started: "
                      "it is started anew", self.ends_well(mine))
        self.assertEqual(other.wait(20), 0)
        self.assertEqual(self.log().count("listening on"), 1, self.log())

    def test_another_file_that_is_first_and_has_to_stay(self):
        other = self.late_server()
        mine = self.background("run", "orders.toml", "say it")
        self.until(lambda: "is in use by process" in self.log())
        (self.folder / "go").touch()
        self.assertIn("it goes on with that until you restart it", self.ends_well(mine))
        self.assertIsNone(other.poll())
        self.perdure("stop")

    def test_a_file_that_is_not_there_is_not_another(self):
        self.perdure("run", "orders.toml", "say it")
        said = self.perdure("run", "--config", "nowhere.toml", "orders.toml", "say it", status=1).stderr
        self.assertIn(f"cannot read nowhere.toml; the server that runs (process {self.server_pid})", said)

    def test_a_file_with_which_none_starts_once_the_old_one_has_ended(self):
        asked = self.perdure("run", "orders.toml", "pay it", status=5).stderr
        config = (self.folder / "perdure.toml").read_text()
        (self.folder / "other.toml").write_text(toml({"name": "other", **agent(tools=["nope"])}))
        (self.folder / "perdure.toml").write_text(config + '[agents]\nother = "other.toml"\n')
        said = self.perdure("run", "orders.toml", "say it", status=1).stderr
        self.assertIn("it is started anew", said)
        self.assertIn("the server did not start (exit status 1)", said)
        self.assertIn("there is no tool 'nope'", said)
        self.assertIn("\nthe server that ran was ended; its tasks go on when one starts\n", said)
        self.assertNotIn("server.stopped", said, "only what this one said")
        (self.folder / "perdure.toml").write_text(config)
        self.perdure("run", "orders.toml", "say it")
        self.perdure(*re.search(r"perdure (approve \S+)", asked)[1].split())
        self.assertIn("completed", self.perdure("events", re.search(r"task_\w+", asked)[0], "--follow").stdout)


if __name__ == "__main__":
    unittest.main()
