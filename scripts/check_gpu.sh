#!/usr/bin/env bash
# Checks and measures the GPU path on a machine with an NVIDIA GPU: the tests that need one, then bench/gpu.py.
# Needs Python with PyTorch, torchvision, OpenCV and pytest; the project itself need not be installed. The few
# other packages that are missing go into a temporary folder, from the package index or, offline, from wheels in
# the folder that WHEELS names. With --dry-run everything runs on the CPU, with small numbers.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

python=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$PWD/server" "$folder/emostream"
export PYTHONPATH="$folder:$PWD${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export EMOSTREAM_CACHE_DIR="$folder/cache"

missing=$("$python" - <<'END'
from importlib.util import find_spec
needed = {"gdown": "gdown", "PIL": "pillow", "pydantic": "pydantic", "pydantic_settings": "pydantic-settings",
          "safetensors": "safetensors", "skimage": "scikit-image", "tomli_w": "tomli-w"}
print(*(name for module, name in needed.items() if find_spec(module) is None))
END
) || exit 1
if [[ -n $missing ]]; then
  source=()
  [[ -n ${WHEELS:-} ]] && source=(--no-index --find-links "$WHEELS")
  # shellcheck disable=SC2086 # several names
  "$python" -m pip install --quiet --target "$folder" "${source[@]}" $missing || exit 1
fi

failed=0
# Not with the project's own configuration, which wants plugins that these tests don't.
"$python" -m pytest -c /dev/null --rootdir . -p no:cacheprovider -o "markers=cuda: needs a GPU" -q -ra -m cuda \
  tests/inference/test_torch_engine.py tests/inference/test_device_preparation.py \
  tests/inference/test_engine.py || failed=1
"$python" -m bench.gpu "$@" || failed=1
exit "$failed"
