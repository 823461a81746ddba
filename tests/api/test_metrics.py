from emostream.api.metrics import Metrics
from prometheus_client.parser import text_string_to_metric_families


def samples(metrics: Metrics) -> dict[str, float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }


def test_a_pass_of_the_engine_is_counted_with_its_faces_and_its_time() -> None:
    metrics = Metrics()

    metrics.observe_batch(8, 0.25)
    metrics.observe_batch(4, 0.5)

    found = samples(metrics)
    assert found["emostream_batch_faces_sum"] == 12
    assert found["emostream_batch_faces_count"] == 2
    assert found["emostream_batch_seconds_sum"] == 0.75


def test_two_apps_of_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()

    one.sessions.set(3)

    assert samples(one)["emostream_sessions"] == 3
    assert samples(other)["emostream_sessions"] == 0
