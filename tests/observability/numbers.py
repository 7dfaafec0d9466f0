"""
Reading what `/metrics` says.
"""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from tests.http.api import Api


def numbers_of(api: Api, *, key: str | None = None) -> Mapping[str, float]:
    """
    Return each sample of `/metrics` by its name and its labels' values, such as `outdial_open_calls queued`.
    """
    answer = api.get("/metrics", key=key)
    assert 200 == answer.status_code
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
