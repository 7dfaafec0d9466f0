"""
Why a request was refused: a closed set, declared in the order in which the reasons are judged.

The values are the wire's `error` codes; `docs/errors.md` lists each.
"""

from enum import StrEnum


class Reason(StrEnum):
    """
    Why a request was not accepted; nothing was stored, held or dialled.
    """

    INVALID_HTTP = "invalid_http"
    HEADERS_TOO_LARGE = "headers_too_large"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    AUTHENTICATION_REQUIRED = "authentication_required"
    INVALID_KEY = "invalid_key"
    PERMISSION_DENIED = "permission_denied"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID_JSON = "invalid_json"
    MISSING_PHONE_NUMBER = "missing_phone_number"
    MISSING_AGENT_ID = "missing_agent_id"
    VALIDATION_ERROR = "validation_error"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    IDEMPOTENCY_KEY_EXPIRED = "idempotency_key_expired"
    INVALID_PHONE_NUMBER = "invalid_phone_number"
    AGENT_NOT_FOUND = "agent_not_found"
    CONTACT_NOT_FOUND = "contact_not_found"
    NO_PHONE_NUMBER = "no_phone_number"
    DESTINATION_NOT_ALLOWED = "destination_not_allowed"
    DO_NOT_CALL = "do_not_call"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UNAVAILABLE = "unavailable"
    SERVER_ERROR = "server_error"

    @property
    def sentence(self) -> str:
        """
        What a person is told when nothing more precise is known.
        """
        return _SENTENCES[self]


_SENTENCES: dict[Reason, str] = {
    Reason.INVALID_HTTP: "This is no HTTP request that can be understood in one way only; see details.",
    Reason.HEADERS_TOO_LARGE: "The request has too many headers, or too long ones.",
    Reason.ORIGIN_NOT_ALLOWED: "Web pages may not send requests here.",
    Reason.AUTHENTICATION_REQUIRED: "No API key was provided.",
    Reason.INVALID_KEY: "The API key is invalid or inactive.",
    Reason.PERMISSION_DENIED: "The API key doesn't have the required permission.",
    Reason.RATE_LIMIT_EXCEEDED: "The API key has used up its limit; try again after the time in Retry-After.",
    Reason.PAYLOAD_TOO_LARGE: "The request body is too large.",
    Reason.UNSUPPORTED_MEDIA_TYPE: "The request body must be sent as application/json.",
    Reason.INVALID_JSON: "The request body is not one JSON object in UTF-8.",
    Reason.MISSING_PHONE_NUMBER: "Phone number is required.",
    Reason.MISSING_AGENT_ID: "Agent ID is required.",
    Reason.VALIDATION_ERROR: "Some fields of the request are not valid; see details.",
    Reason.IDEMPOTENCY_CONFLICT: "This idempotency key was used for another request.",
    Reason.IDEMPOTENCY_KEY_EXPIRED: "This idempotency key was used for a call that is too old to be answered again.",
    Reason.INVALID_PHONE_NUMBER: "The provided phone number is not valid.",
    Reason.AGENT_NOT_FOUND: "AI agent not found or you do not have access.",
    Reason.CONTACT_NOT_FOUND: "Contact not found or you do not have access.",
    Reason.NO_PHONE_NUMBER: "The agent does not have an assigned phone number.",
    Reason.DESTINATION_NOT_ALLOWED: "Your account's settings do not allow calls to this kind of number.",
    Reason.DO_NOT_CALL: "The phone number is on your Do Not Call list.",
    Reason.INSUFFICIENT_FUNDS: "Insufficient funds to make the call.",
    Reason.NOT_FOUND: "There is nothing here, or you do not have access.",
    Reason.METHOD_NOT_ALLOWED: "This method is not supported here; see the Allow header.",
    Reason.UNAVAILABLE: "The request can't be committed right now; nothing was accepted. Try again later.",
    Reason.SERVER_ERROR: "An unexpected error occurred; nothing is half done.",
}
