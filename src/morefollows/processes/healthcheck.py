"""A container's health check: asks the process beside it, without loading the product.

Run as ``python -m morefollows.processes.healthcheck``. The web server answers at MOREFOLLOWS_PORT,
other processes at MOREFOLLOWS_PROBE_PORT. Exit code 0 if one of them lives.
"""

from __future__ import annotations

import http.client
import os
import sys

_SECONDS = 4.0


def answers(port: int) -> bool:
    """Whether a process answers /healthz at this port of this machine."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        asking.request("GET", "/healthz")
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()


def main() -> int:
    """Returns the exit code."""
    names = (("MOREFOLLOWS_PORT", "8025"), ("MOREFOLLOWS_PROBE_PORT", "0"))
    ports = [os.environ.get(name, default) for name, default in names]
    # Kubernetes' address of a service with our name is no port: tcp://10.0.0.1:8025
    numbers = [int(port) for port in ports if port.isdecimal() and int(port)]
    return 0 if any(answers(port) for port in numbers) else 1


if __name__ == "__main__":
    sys.exit(main())
