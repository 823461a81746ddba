"""Networks that many threads use at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from emostream.detection.pass_by_thread import PassByThread, openvino


def test_each_thread_gets_the_answer_to_its_own_question() -> None:
    ov = openvino()
    image = ov.opset13.parameter([1, 2], ov.Type.u8)
    doubled = ov.opset13.multiply(ov.opset13.convert(image, "f32"), np.float32(2))
    network = PassByThread(ov.Model([doubled], [image], "doubled"))

    def ask(number: int) -> list[float]:
        (answer,) = network(np.array([[number, number + 1]], np.uint8))
        return [float(value) for value in answer[0]]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(100)))

    assert answers == [[2.0 * number, 2.0 * number + 2] for number in range(100)]
