#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A session in a pseudo-terminal, told by a script.

usage: pty-session.py COMMAND <SCRIPT        (COMMAND goes to bash -c, with exec: it is the terminal's foreground program)

The script has one step a line; blank lines and lines that begin with # do not count:

  expect TEXT      wait until TEXT appears (after what earlier steps matched)
  match REGEX      the same with a regular expression (Python's; multi-line)
  absent TEXT      TEXT has not appeared between the matches of the last two expect/match steps
  line TEXT        type TEXT and Enter
  send TEXT        type TEXT alone; \\n \\t \\e \\xHH are understood
  key C-x          type a control key: C-c, C-d, C-z, C-\\, C-p ...
  resize ROWS COLS change the window
  host COMMAND     run COMMAND with bash on the host, meanwhile; it must succeed, its output joins the transcript
  signal NAME      send a signal (TERM, HUP, ...) to COMMAND's process
  hangup           close the terminal, as when its window is closed
  timeout SECONDS  how long expect, match, end may wait (60 at first)
  end              wait until COMMAND has ended (also done after the last step)

The window has 24 rows and 80 columns at first. The transcript goes to standard output. The exit status is COMMAND's (128 + n after
signal n), or 98 when a step failed: the message then names the step and shows what the terminal had.
"""

import re
import signal
import subprocess
import sys

import pexpect

STEP_FAILED = 98
KEYS = {chr(code + 64).lower(): bytes([code]) for code in range(32)}


class StepFailed(Exception):
    pass


class Session:
    def __init__(self, command):
        self.timeout = 60.0
        self.transcript = []
        self.between = ""  # what came between the last two matches
        # exec: signals of the script reach the command, not a shell around it
        self.child = pexpect.spawn(
            "/bin/bash", ["-c", "exec " + command], dimensions=(24, 80), encoding="utf-8",
            codec_errors="replace", echo=True, timeout=self.timeout)
        self.child.delaybeforesend = None

    def take(self):
        text = self.child.before if isinstance(self.child.before, str) else ""
        matched = self.child.after if isinstance(self.child.after, str) else ""
        self.between = text
        self.transcript.append(text + matched)

    def wait_for(self, pattern, is_regex, shown):
        expect = self.child.expect if is_regex else self.child.expect_exact
        found = expect([re.compile(pattern, re.M) if is_regex else pattern, pexpect.EOF, pexpect.TIMEOUT],
                       timeout=self.timeout)
        if found == 0:
            self.take()
            return
        seen = self.child.before or ""
        why = "the command ended" if found == 1 else "nothing within %g s" % self.timeout
        raise StepFailed("expected %s: %s; since the last match the terminal showed:\n%s" % (shown, why, seen))

    def do_expect(self, rest):
        self.wait_for(rest, False, repr(rest))

    def do_match(self, rest):
        self.wait_for(rest, True, "/" + rest + "/")

    def do_absent(self, rest):
        if rest in self.between:
            raise StepFailed("%r appeared:\n%s" % (rest, self.between))

    def do_line(self, rest):
        self.child.send(rest + "\r")

    def do_send(self, rest):
        self.child.send(rest.replace("\\e", "\\x1b").encode("latin-1", "backslashreplace").decode("unicode_escape"))

    def do_key(self, rest):
        key = rest.lower().removeprefix("c-")
        if key not in KEYS:
            raise StepFailed("unknown key %r" % rest)
        self.child.send(KEYS[key].decode("ascii"))

    def do_resize(self, rest):
        rows, columns = rest.split()
        self.child.setwinsize(int(rows), int(columns))

    def do_host(self, rest):
        done = subprocess.run(["/bin/bash", "-c", rest], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=self.timeout * 3, text=True, errors="replace")
        self.transcript.append("\n" + done.stdout)
        if done.returncode != 0:
            raise StepFailed("on the host: exit status %d, output:\n%s" % (done.returncode, done.stdout))

    def do_signal(self, rest):
        self.child.kill(getattr(signal, "SIG" + rest.removeprefix("SIG")))

    def do_hangup(self, _rest):
        self.child.close(force=False)

    def do_timeout(self, rest):
        self.timeout = float(rest)

    def do_end(self, _rest):
        if self.child.closed:
            return
        if self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=self.timeout) == 1:
            raise StepFailed("the command had not ended within %g s; the terminal showed:\n%s"
                             % (self.timeout, self.child.before))
        self.take()
        self.child.close()

    def run(self, script):
        for number, line in enumerate(script.splitlines(), 1):
            line = line.strip("\n")
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            verb, _, rest = line.strip().partition(" ")
            step = getattr(self, "do_" + verb, None)
            try:
                if step is None:
                    raise StepFailed("unknown step")
                step(rest)
            except (StepFailed, subprocess.TimeoutExpired, ValueError, OSError) as failure:
                raise StepFailed("line %d, %r: %s" % (number, line.strip(), failure)) from failure
        self.do_end("")

    def status(self):
        if self.child.signalstatus is not None:
            return 128 + self.child.signalstatus
        return self.child.exitstatus if self.child.exitstatus is not None else 0


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    session = Session(sys.argv[1])
    try:
        session.run(sys.stdin.read())
        result, message = session.status(), None
    except StepFailed as failure:
        result, message = STEP_FAILED, "pty: %s" % failure
    finally:
        if not session.child.closed:
            session.child.close(force=True)
    print("".join(session.transcript).replace("\r\n", "\n"))
    if message:
        print(message)
    return result


if __name__ == "__main__":
    sys.exit(main())
