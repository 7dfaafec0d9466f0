"""
Laws of reading a call's fields.
"""

from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.reason import Reason
from outdial.entrypoints.wire.call_requests import CallBody, read_fields
from tests import strategies

FIELDS = tuple(CallBody.model_fields)

bodies = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), strategies.json_values, max_size=6),
    st.fixed_dictionaries(
        {"phone_number": st.text(), "agent_id": st.text(max_size=300) | st.integers()},
        optional={"contact_id": st.integers() | st.none(), "variables": strategies.variables, "other": st.none()},
    ),
)


@given(body=bodies)
def test_any_json_object_is_read_or_refused(body: dict[str, object]) -> None:
    """
    No object raises; what is missing is said first, what is wrong is listed, and nothing else is refused.
    """
    content = read_fields(body)

    event("read" if isinstance(content, CallFields) else content.reason)
    if isinstance(content, CallFields):
        assert set(body) <= set(FIELDS)
    elif not body.get("phone_number") and body.get("phone_number") in (None, ""):
        assert Reason.MISSING_PHONE_NUMBER is content.reason
    elif not body.get("agent_id") and body.get("agent_id") in (None, ""):
        assert Reason.MISSING_AGENT_ID is content.reason
    else:
        assert Reason.VALIDATION_ERROR is content.reason
        assert content.problems


@given(body=bodies)
def test_each_unknown_field_is_told_once(body: dict[str, object]) -> None:
    """
    Whatever else is wrong, fields that do not exist are all listed.
    """
    complete = {"phone_number": "+15551234567", "agent_id": 1, **body}
    complete = {name: 0 if value in (None, "") else value for name, value in complete.items()}

    content = read_fields(complete)

    told = [] if isinstance(content, CallFields) else [problem.field for problem in content.problems]
    assert [name for name in complete if name not in FIELDS] == [name for name in told if name not in FIELDS]
