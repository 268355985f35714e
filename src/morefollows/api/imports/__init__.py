"""Imports of readers that programs upload: kept in parts, done by a process of their own.

`actions` keeps an upload and does the next one; `worker` starts that process from a sender.
"""
