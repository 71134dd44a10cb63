"""Requests without TLS: a client that could do TLS reads all certificates first, which takes longer than most tests."""

import httpx2

SECONDS = 20
"""To wait for an answer, on a machine that is busy with other tests."""

_CLIENT = httpx2.Client(verify=False, timeout=SECONDS, limits=httpx2.Limits(max_keepalive_connections=0))

get, post, put, delete, request = _CLIENT.get, _CLIENT.post, _CLIENT.put, _CLIENT.delete, _CLIENT.request
