"""
Exceptions for misuse and for broken ports; refusals are values and never raised.
"""


class OutdialError(Exception):
    """
    The root of everything outdial raises on purpose.
    """


class StorageError(OutdialError):
    """
    Storage can't do its work now. What was asked for did not happen.
    """


class StorageConflictError(StorageError):
    """
    Another transaction won, or a rule of the schema forbids the write. Nothing was written.
    """


class IntakeFullError(OutdialError):
    """
    Too many requests wait for a decision; this one was not looked at.
    """


class MissingExtraError(OutdialError):
    """
    What a setting needs is not installed; nothing was started.
    """


class CarrierUnavailableError(OutdialError):
    """
    The carrier can't place calls as it is configured.
    """


class SpeechError(OutdialError):
    """
    The text could not be spoken; nothing was dialled.
    """


class UnknownRecordError(OutdialError):
    """
    What was named does not exist; nothing was changed.
    """
