"""The committed messages of the control API are those of proto/control.proto."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "tombolo/node/_proto/control.proto"


def test_messages_are_up_to_date(tmp_path: Path) -> None:
    protoc = shutil.which("protoc")
    assert protoc, "the tests of the node need protobuf-compiler"
    from google.protobuf import descriptor_pb2
    from tombolo.node._proto import control_pb2

    out = tmp_path / "control.bin"
    command = [protoc, "-I", f"tombolo/node/_proto={ROOT / 'proto'}", f"--descriptor_set_out={out}"]
    subprocess.run([*command, NAME], check=True, timeout=60)
    wanted = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]
    committed = descriptor_pb2.FileDescriptorProto.FromString(control_pb2.DESCRIPTOR.serialized_pb)
    for message in wanted.message_type:
        for field in (*message.field, *(f for inner in message.nested_type for f in inner.field)):
            field.ClearField("json_name")  # that protoc has derived
    assert committed == wanted, "run python/generate_control.sh"


def test_stubs_name_every_message() -> None:
    pytest.importorskip("google.protobuf")
    from tombolo.node._proto import control_pb2

    stubs = (Path(control_pb2.__file__).parent / "control_pb2.pyi").read_text()
    for name in control_pb2.DESCRIPTOR.message_types_by_name:
        assert f"class {name}(" in stubs
