"""
The version of this distribution, written once.
"""

VERSION = "0.1.0"
