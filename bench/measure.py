"""Runs a command; prints its wall time and its processor time in seconds, and its peak memory in
bytes, as JSON. All but the wall time is of the processes that it started, too."""

import json
import resource
import subprocess
import sys
import time

started = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
if done.returncode != 0:
    sys.exit(done.stderr.decode(errors="replace"))
seconds = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": used.ru_maxrss * 1024}))
