# SPDX-License-Identifier: Apache-2.0
"""The clock of sipchaind_steps, from the test's side; see injected_clock.c."""
import ctypes
import mmap
import time


class Clock:
    """What a daemon's clocks are ahead of the machine's, seconds."""

    def __init__(self, path):
        with open(path, "w+b") as f:
            f.write(bytes(16))
            f.flush()
            self._map = mmap.mmap(f.fileno(), 16)
        self._added = (ctypes.c_int64 * 2).from_buffer(self._map)  # one store each
        self.environment = {"SIPCHAIN_TEST_CLOCK": path}  # of the daemon

    def advance(self, seconds):
        """Time passes, by every clock."""
        self._added[0] += int(seconds * 10**9)

    def set_wall(self, seconds):
        """The time of day alone is set: so many seconds away from the right one."""
        self._added[1] = int(seconds * 10**9)

    def now(self):
        """Unix time by the right clock."""
        return time.time() + self._added[0] / 10**9
