"""OpenVINO without what it does beside computing."""

import importlib
import sys
from types import ModuleType


def import_openvino() -> ModuleType:
    """OpenVINO without its telemetry, which reports each import and conversion to a third party.

    Where that package cannot be imported OpenVINO uses a stub of its own. Imported late, as most commands do
    without it. Raises ImportError where it cannot be loaded.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # makes its import fail
    return importlib.import_module("openvino")
