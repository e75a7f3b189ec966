"""OpenStack Swift with its S3 face, all four servers in one process: `-m … FOLDER PORT`.

A program of its own, because Swift replaces the threads and sockets of the process it runs in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

PART_POWER = 2  # of the rings: four partitions on one device
KINDS = ("account", "container", "object")

BACKEND = """
[DEFAULT]
devices = {devices}
mount_check = false
swift_dir = {folder}
[app:main]
use = egg:swift#{kind}
"""

PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper listing_formats s3api tempauth copy slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
"""

SWIFT = """
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = only
default = yes
"""

ACCESS_KEY = "test:tester"
SECRET_KEY = "testing"


def make_ring(folder: Path, kind: str, port: int) -> None:
    """One device on this machine holds everything, once."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(PART_POWER, 1, 1)
    place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port}
    replication = {"replication_ip": "127.0.0.1", "replication_port": port}
    builder.add_dev({**place, **replication, "device": "one", "weight": 1.0})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


def write_configuration(folder: Path) -> Iterator[tuple[str, Path]]:
    devices = folder / "devices"
    (devices / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT)
    for kind in KINDS:
        path = folder / f"{kind}.conf"
        path.write_text(BACKEND.format(devices=devices, folder=folder, kind=kind))
        yield kind, path
    path = folder / "proxy.conf"
    path.write_text(PROXY.format(folder=folder, secret=SECRET_KEY))
    yield "proxy", path


def serve(folder: Path, port: int) -> None:
    import eventlet

    eventlet.monkey_patch()
    from eventlet import wsgi
    from swift.common import storage_policy, utils
    from swift.common.wsgi import SwiftHttpProtocol, loadapp

    configured = dict(write_configuration(folder))
    utils.set_swift_dir(str(folder))
    storage_policy.reload_storage_policies()
    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in KINDS}
    for kind, socket in sockets.items():
        make_ring(folder, kind, socket.getsockname()[1])
    threads = []
    for kind, path in configured.items():
        socket = sockets.get(kind) or eventlet.listen(("127.0.0.1", port))
        app = loadapp(str(path), global_conf={"log_name": kind})
        threads.append(
            eventlet.spawn(
                wsgi.server,
                socket,
                app,
                log_output=False,
                protocol=SwiftHttpProtocol,
                capitalize_response_headers=False,
            )
        )
    for thread in threads:
        thread.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
